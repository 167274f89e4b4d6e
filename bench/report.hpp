// What was measured: a figure is a name, a unit and one value per repeat. Printed as a table and as JSON.
#pragma once

#include <string>
#include <vector>

namespace fermata::bench {

struct Figure {
  std::string section;  // "initial sync"
  std::string name;     // "documents per second"
  std::string unit;     // "/s"
  std::vector<double> values;

  [[nodiscard]] double at(double quantile) const;  // 0 to 1; 0 if there is no value
};

class Report {
 public:
  // Adds one repeat's value.
  void add(const std::string& section, const std::string& name, const std::string& unit, double value);
  [[nodiscard]] double median(const std::string& section, const std::string& name) const;

  [[nodiscard]] std::string table() const;  // of all sections
  [[nodiscard]] std::string json() const;

 private:
  std::vector<Figure> figures_;
};

}  // namespace fermata::bench
