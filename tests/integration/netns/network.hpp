// A small network of the test's own: hosts in network namespaces on a switch in another one. Names carry the test's
// pid; everything goes with the object, and what a killed test left behind goes when the next one starts.
#pragma once

#include <string>
#include <vector>

namespace fermata::test {

class Network {
 public:
  // Hosts 0 … `hosts` - 1 have the addresses 10.77.0.1 and so on, and are reachable only within.
  explicit Network(int hosts);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Why it could not be made; empty if it could.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] static std::string address(int host);

  // What follows returns false where the kernel or a tool lacks it.
  // The hosts from `first` on are moved to another switch, or back.
  bool split(int first);
  bool heal();
  bool limit_rate(int host, const std::string& rate);  // of what it sends: "2mbit"
  bool lose(int host, int percent);                    // of the packets that come to it
  bool restore(int host);                              // neither any more

  // The calling thread is on that host while the object lives; what it starts stays there.
  class Visit {
   public:
    Visit(const Network& network, int host);
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    int home_ = -1;
  };

 private:
  [[nodiscard]] std::string host(int number) const;
  [[nodiscard]] std::string switches() const { return name_ + "sw"; }
  void make();
  void connect(int number);
  bool run(const std::string& command, const std::string& input = {});
  bool move_to(int number, const std::string& bridge);

  std::string name_;
  int hosts_;
  std::string trouble_;
};

}  // namespace fermata::test
