// SPDX-License-Identifier: BSD-3-Clause

#include "support/network_link.hpp"

#include "support/packet.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

namespace sheaf::test {

namespace {

using std::chrono::steady_clock;

[[noreturn]] void fail(std::string_view what) {
  throw std::system_error(errno, std::generic_category(),
                          fmt::format("no network of the test's own, which takes root and /dev/net/tun: {}", what));
}

class descriptor {
public:
  descriptor(int fd, std::string_view what) : fd_(fd) {
    if (fd_ < 0)
      fail(what);
  }
  ~descriptor() { ::close(fd_); }

  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  operator int() const noexcept { return fd_; }

private:
  const int fd_;
};

int open_namespace() { return ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC); }

int new_namespace() {
  if (::unshare(CLONE_NEWNET) != 0)
    fail("unshare");
  return open_namespace();
}

void enter(int space) {
  if (::setns(space, CLONE_NEWNET) != 0)
    fail("setns");
}

ifreq interface_named(std::string_view name) {
  ifreq x{};
  name.copy(x.ifr_name, sizeof x.ifr_name - 1);
  return x;
}

void start_interface(int any_socket, std::string_view name) {
  auto x = interface_named(name);
  x.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(any_socket, SIOCSIFFLAGS, &x) != 0)
    fail("SIOCSIFFLAGS");
}

void set_address(int any_socket, std::string_view name, unsigned long what, const char* value) {
  auto x = interface_named(name);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, value, &address.sin_addr);
  std::memcpy(&x.ifr_addr, &address, sizeof address);
  if (::ioctl(any_socket, what, &x) != 0)
    fail("SIOCSIFADDR");
}

/// An end of the link, in the namespace of the calling thread: what is read from it was sent to other hosts, and what
/// is written to it comes from them. It goes with the descriptor.
int open_end(const char* address) {
  constexpr std::string_view name = "link0";
  const int end = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (end < 0)
    fail("/dev/net/tun");
  auto x = interface_named(name);
  x.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(end, TUNSETIFF, &x) != 0)
    fail("TUNSETIFF");
  const descriptor any{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"};
  set_address(any, name, SIOCSIFADDR, address);
  set_address(any, name, SIOCSIFNETMASK, "255.255.255.252");
  start_interface(any, name);
  start_interface(any, "lo");
  return end;
}

} // namespace

struct network_link::state {
  struct packet {
    int to;
    std::string bytes;
  };

  /// The thread's own namespace, to which it comes back.
  struct way_home {
    const descriptor space{open_namespace(), "/proc/thread-self/ns/net"};

    way_home() = default;
    way_home(const way_home&) = delete;
    way_home& operator=(const way_home&) = delete;
    ~way_home() { ::setns(space, CLONE_NEWNET); }
  };

  // In this order: the thread goes there, and then here.
  way_home home;
  const descriptor space_there{new_namespace(), "/proc/thread-self/ns/net"};
  const descriptor end_there{open_end(there), "/dev/net/tun"};
  const descriptor space_here{new_namespace(), "/proc/thread-self/ns/net"};
  const descriptor end_here{open_end(here), "/dev/net/tun"};
  const descriptor over{::eventfd(0, EFD_CLOEXEC), "eventfd"};

  std::mutex mutex; ///< Guards the weather.
  weather now;
  std::atomic<std::uint64_t> harmed = 0;

  // The thread's own:
  std::multimap<steady_clock::time_point, packet> on_their_way;
  std::mt19937 random{20};
  std::thread thread;

  bool happens(double share) { return std::bernoulli_distribution{share}(random); }

  std::string refuse(std::string_view bytes) const {
    return now.refused_by == refusal::reset ? reset_of(bytes) : unreachable_of(bytes);
  }

  steady_clock::duration time_on_the_way() {
    const auto most = now.jitter.count();
    return now.delay + std::chrono::milliseconds{std::uniform_int_distribution{-most, most}(random)};
  }

  void take(std::string bytes, bool is_out) {
    if (!is_ipv4(bytes))
      return; // IPv6 looks for neighbours, in vain
    const int from = is_out ? end_here : end_there, to = is_out ? end_there : end_here;
    const std::lock_guard guard{mutex};
    if (now.refused_by != refusal::none) {
      ++harmed;
      deliver({from, refuse(bytes)});
    } else if (happens(is_out ? now.lost_out : now.lost_back) || (is_out && bytes.size() > now.largest_out)) {
      ++harmed;
    } else if (now.delay.count() == 0) {
      deliver({to, std::move(bytes)});
    } else {
      ++harmed;
      on_their_way.emplace(steady_clock::now() + time_on_the_way(), packet{to, std::move(bytes)});
    }
  }

  /// A host that takes no packet now has lost it, as in any network.
  static void deliver(const packet& x) {
    if (!x.bytes.empty())
      std::ignore = ::write(x.to, x.bytes.data(), x.bytes.size());
  }

  void take_all(bool is_out) {
    std::array<char, 2048> bytes;
    for (;;) {
      const auto size = ::read(is_out ? end_here : end_there, bytes.data(), bytes.size());
      if (size <= 0)
        return;
      take({bytes.data(), static_cast<std::size_t>(size)}, is_out);
    }
  }

  void deliver_what_is_due() {
    const auto due = on_their_way.upper_bound(steady_clock::now());
    for (auto i = on_their_way.begin(); i != due; i = on_their_way.erase(i))
      deliver(i->second);
  }

  /// Waits for packets, or until one is due.
  void run() {
    std::array<pollfd, 3> watched{{{end_here, POLLIN, 0}, {end_there, POLLIN, 0}, {over, POLLIN, 0}}};
    while (watched[2].revents == 0) {
      timespec left{};
      if (!on_their_way.empty()) {
        const auto wait = std::max(on_their_way.begin()->first - steady_clock::now(), steady_clock::duration{});
        const auto whole = std::chrono::floor<std::chrono::seconds>(wait);
        left.tv_sec = whole.count();
        left.tv_nsec = std::chrono::nanoseconds{wait - whole}.count();
      }
      ::ppoll(watched.data(), watched.size(), on_their_way.empty() ? nullptr : &left, nullptr);
      deliver_what_is_due();
      take_all(true);
      take_all(false);
    }
  }
};

network_link::network_link() : state_(std::make_unique<state>()) {
  state_->thread = std::thread{[x = state_.get()] { x->run(); }};
}

network_link::~network_link() {
  ::eventfd_write(state_->over, 1);
  state_->thread.join();
}

void network_link::go_there(const std::function<void()>& f) {
  struct comes_back {
    int space;
    ~comes_back() { ::setns(space, CLONE_NEWNET); }
  };
  const comes_back later{state_->space_here};
  enter(state_->space_there);
  f();
}

void network_link::set(const weather& now) {
  const std::lock_guard guard{state_->mutex};
  state_->now = now;
}

std::uint64_t network_link::harmed() const { return state_->harmed; }

} // namespace sheaf::test
