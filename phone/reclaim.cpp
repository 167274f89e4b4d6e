#include "phone/reclaim.hpp"

#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <functional>
#include <set>
#include <string_view>

#include "phone/loop.hpp"
#include "phone/proc.hpp"

namespace fermata::phone {
namespace {

constexpr std::uint16_t kSockDestroy = 21;  // SOCK_DESTROY; some libc headers lack it

struct Request {
  nlmsghdr header{};
  inet_diag_req_v2 body{};
};

std::set<std::uint32_t> socket_inodes(const std::vector<pid_t>& pids) {
  std::set<std::uint32_t> inodes;
  for (const pid_t pid : pids) {
    for (const OpenFile& file : open_files(pid)) {
      constexpr std::string_view kPrefix = "socket:[";
      if (!file.target.starts_with(kPrefix)) continue;
      std::uint32_t inode = 0;
      std::from_chars(file.target.data() + kPrefix.size(), file.target.data() + file.target.size(), inode);
      if (inode != 0) inodes.insert(inode);
    }
  }
  return inodes;
}

Fd open_diag() {
  return Fd(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
}

bool send_request(const Fd& diag, Request& request, std::uint16_t type, std::uint16_t flags) {
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = flags;
  return send(diag.value(), &request, sizeof request, 0) == static_cast<ssize_t>(sizeof request);
}

// Hands every message of the answer to `handle` until that returns false or the answer ends.
void read_answer(const Fd& diag, const std::function<bool(const nlmsghdr&)>& handle) {
  alignas(nlmsghdr) char buffer[32768];
  for (;;) {
    const ssize_t size = recv(diag.value(), buffer, sizeof buffer, 0);
    if (size <= 0) return;
    auto left = static_cast<std::size_t>(size);
    for (std::size_t at = 0; at + sizeof(nlmsghdr) <= left;) {
      const auto* message = reinterpret_cast<const nlmsghdr*>(buffer + at);
      if (message->nlmsg_len < sizeof(nlmsghdr) || at + message->nlmsg_len > left) return;
      if (message->nlmsg_type == NLMSG_DONE || !handle(*message)) return;
      at += NLMSG_ALIGN(message->nlmsg_len);
    }
  }
}

// The kernel's names of the TCP sockets with these inodes.
std::vector<Request> find_sockets(const Fd& diag, std::uint8_t family, const std::set<std::uint32_t>& inodes,
                                  std::uint32_t states) {
  Request dump;
  dump.body.sdiag_family = family;
  dump.body.sdiag_protocol = IPPROTO_TCP;
  dump.body.idiag_states = states;
  std::vector<Request> found;
  if (!send_request(diag, dump, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP)) return found;
  read_answer(diag, [&](const nlmsghdr& message) {
    if (message.nlmsg_type != SOCK_DIAG_BY_FAMILY || message.nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg)))
      return false;
    const auto* socket = static_cast<const inet_diag_msg*>(NLMSG_DATA(&message));
    if (inodes.contains(socket->idiag_inode)) {
      Request destroy;
      destroy.body.sdiag_family = socket->idiag_family;
      destroy.body.sdiag_protocol = IPPROTO_TCP;
      destroy.body.id = socket->id;
      found.push_back(destroy);
    }
    return true;
  });
  return found;
}

// 0 or an errno.
int destroy(const Fd& diag, Request& request) {
  if (!send_request(diag, request, kSockDestroy, NLM_F_REQUEST | NLM_F_ACK)) return errno;
  int error = EIO;
  read_answer(diag, [&](const nlmsghdr& message) {
    if (message.nlmsg_type == NLMSG_ERROR && message.nlmsg_len >= NLMSG_LENGTH(sizeof(nlmsgerr)))
      error = -static_cast<const nlmsgerr*>(NLMSG_DATA(&message))->error;
    return false;
  });
  return error;
}

Reclaimed reclaim(const std::set<std::uint32_t>& inodes, Sockets which) {
  constexpr std::uint32_t kListening = 1U << 10;  // TCP_LISTEN
  const std::uint32_t states = which == Sockets::All ? ~0U : ~kListening;
  Reclaimed result;
  if (inodes.empty()) return result;
  const Fd diag = open_diag();
  if (!diag.is_open()) {
    result.failed = 1;
    result.problem = fmt::format("no sock_diag socket: {}", std::strerror(errno));
    return result;
  }
  for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
    for (Request& socket : find_sockets(diag, family, inodes, states)) {
      const int error = destroy(diag, socket);
      if (error == 0) {
        ++result.sockets;
      } else if (error != ENOENT) {  // ENOENT: it closed by itself meanwhile
        ++result.failed;
        result.problem = error == EPERM        ? "needs CAP_NET_ADMIN (run as root)"
                         : error == EOPNOTSUPP ? "this kernel cannot destroy sockets (CONFIG_INET_DIAG_DESTROY)"
                                               : std::strerror(error);
      }
    }
  }
  return result;
}

}  // namespace

Reclaimed reclaim_tcp_sockets(const std::vector<pid_t>& pids, Sockets which) {
  return reclaim(socket_inodes(pids), which);
}

std::string reclaim_means() {
  const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  struct stat status {};
  const bool listening = bind(listener.value(), reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0 &&
                         listen(listener.value(), 1) == 0 && fstat(listener.value(), &status) == 0;
  if (!listening) return fmt::format("none: no TCP on loopback: {}", std::strerror(errno));
  const Reclaimed tried = reclaim({static_cast<std::uint32_t>(status.st_ino)}, Sockets::All);
  if (tried.sockets == 1) return "SOCK_DESTROY, as ss -K";
  return fmt::format("none: {}", tried.problem.empty() ? "the kernel does not list our sockets" : tried.problem);
}

}  // namespace fermata::phone
