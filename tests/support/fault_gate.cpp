// SPDX-License-Identifier: BSD-3-Clause

#include "support/fault_gate.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace sheaf::test {

namespace {

using std::chrono::steady_clock;
using namespace std::string_view_literals;

constexpr auto how_much_later = std::chrono::milliseconds{20};
const std::string no_protocol(100, '\xff'); // wherever it begins: no message of PostgreSQL's has such a length
constexpr std::string_view endless_row{"D\x06\x00\x00\x00\x00\x01", 7}; // a DataRow of 100 MB
/// ErrorResponse and ReadyForQuery.
constexpr std::string_view denied = "E\0\0\0\x30SERROR\0VERROR\0"
                                    "C42704\0Mthis server will not\0\0Z\0\0\0\x05I"sv;
constexpr std::size_t most_in_flight = 1 << 16;

class descriptor {
public:
  explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
  descriptor(descriptor&& x) noexcept : fd_(std::exchange(x.fd_, -1)) {}
  descriptor& operator=(descriptor&& x) noexcept {
    std::swap(fd_, x.fd_);
    return *this;
  }
  ~descriptor() { close(); }

  void close() noexcept {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }
  void reset() noexcept { // by a RST
    constexpr linger at_once{1, 0};
    if (fd_ >= 0)
      ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  operator int() const noexcept { return fd_; }

private:
  int fd_;
};

int checked(int code) {
  if (code < 0)
    throw std::system_error(errno, std::generic_category(), "fault_gate");
  return code;
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

descriptor bound_socket(int port) {
  descriptor fd{checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))};
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto address = loopback(port);
  checked(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  return fd;
}

int port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  checked(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size));
  return ntohs(address.sin_port);
}

/// Finds the ends of messages (PostgreSQL manual, "Message Formats"): a type, and a length that counts itself.
class message_meter {
public:
  /// Takes the bytes up to the next end of a message, at most. Their number; `ended` when that was an end.
  std::size_t take(std::string_view bytes, bool& ended) {
    std::size_t taken = 0;
    for (; head_ < 5 && taken < bytes.size(); ++taken, ++head_)
      if (head_ > 0)
        left_ = left_ << 8 | static_cast<unsigned char>(bytes[taken]);
    if (head_ == 5 && !in_body_) {
      left_ -= 4;
      in_body_ = true;
    }
    ended = false;
    if (!in_body_)
      return taken;
    const auto more = std::min<std::size_t>(left_, bytes.size() - taken);
    left_ -= static_cast<std::uint32_t>(more);
    ended = left_ == 0;
    if (ended) {
      head_ = 0;
      in_body_ = false;
    }
    return taken + more;
  }

private:
  std::size_t head_ = 0; ///< Bytes of the head that have come.
  std::uint32_t left_ = 0;
  bool in_body_ = false;
};

/// A connection through the gate. A descriptor that is closed is -1.
struct passage {
  descriptor client, server;
  std::string to_client, to_server; ///< Read, and not written yet.
  steady_clock::time_point not_before{};
  message_meter meter;     ///< Of the server's words.
  bool ending = false;     ///< Ends once `to_client` is written.
  bool swallows = false;   ///< The server's words are dropped.
  bool incomplete = false; ///< Bytes are missing on it: it is of no use any more.
  bool over() const { return client < 0 && server < 0; }
};

} // namespace

struct fault_gate::state {
  const int server_port;
  const descriptor place = bound_socket(0); ///< Keeps the port while nobody listens there.
  const int port = port_of(place);
  const descriptor wake{checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))};

  mutable std::mutex mutex; ///< Held by the thread whenever it does not wait. Guards what follows.
  descriptor listener = listen();
  fault current = fault::none;
  std::size_t messages = 0, after = 0; ///< Until the fault strikes.
  std::list<passage> passages;
  bool closing = false;

  std::vector<pollfd> polled; ///< Used by the thread alone.
  std::thread thread{[this] { run(); }};

  explicit state(int port_of_server) : server_port(port_of_server) {}
  ~state() {
    {
      const std::lock_guard lock{mutex};
      closing = true;
    }
    ::eventfd_write(wake, 1);
    thread.join();
  }

  descriptor listen() const {
    auto fd = bound_socket(port);
    checked(::listen(fd, 100));
    return fd;
  }

  bool struck() const { return messages == 0 && after == 0; }
  bool active(fault x) const { return current == x && struck(); }

  void run();
  std::size_t wait(std::unique_lock<std::mutex>& lock);
  void accept();
  void hear_client(passage& x);
  void hear_server(passage& x);
  void write(passage& x);
  void begin();
  void afflict(passage& x);
};

fault_gate::fault_gate(int server_port) : state_(std::make_unique<state>(server_port)) {}

fault_gate::~fault_gate() = default;

int fault_gate::port() const noexcept { return state_->port; }

bool fault_gate::struck() const {
  const std::lock_guard lock{state_->mutex};
  return state_->struck();
}

std::size_t fault_gate::connections() const {
  const std::lock_guard lock{state_->mutex};
  return static_cast<std::size_t>(
      std::count_if(state_->passages.begin(), state_->passages.end(), [](const passage& x) { return x.client >= 0; }));
}

void fault_gate::strike(fault kind, std::size_t after) { strike_behind(kind, 0, after); }

void fault_gate::strike_behind(fault kind, std::size_t messages, std::size_t bytes) {
  const std::lock_guard lock{state_->mutex};
  state_->current = kind;
  state_->messages = messages;
  state_->after = bytes;
  if (state_->struck())
    state_->begin();
  ::eventfd_write(state_->wake, 1);
}

void fault_gate::heal() {
  const std::lock_guard lock{state_->mutex};
  state_->current = fault::none;
  state_->messages = state_->after = 0;
  if (state_->listener < 0)
    state_->listener = state_->listen();
  for (auto& x : state_->passages) {
    x.not_before = {};
    if (x.incomplete) {
      x.client.reset();
      x.server.close();
    }
  }
  ::eventfd_write(state_->wake, 1);
}

/// The fault strikes the connections that are there.
void fault_gate::state::begin() {
  if (current == fault::refuse)
    listener.close();
  for (auto& x : passages)
    afflict(x);
}

void fault_gate::state::afflict(passage& x) {
  switch (current) {
  case fault::cut:
    x.ending = x.swallows = true;
    break;
  case fault::reset:
    x.client.reset();
    x.server.close();
    break;
  case fault::garbage:
  case fault::promise:
    x.to_client += current == fault::garbage ? std::string_view{no_protocol} : endless_row;
    x.swallows = x.incomplete = true;
    break;
  default:
    break;
  }
}

void fault_gate::state::run() {
  std::unique_lock lock{mutex};
  while (!closing) {
    const auto known = wait(lock);
    if (closing)
      break;
    eventfd_t ignored = 0;
    ::eventfd_read(wake, &ignored);
    auto x = passages.begin();
    for (std::size_t i = 0; i < known; ++i, ++x) { // those that were there before the wait: nobody else removes any
      const auto can = [&](std::size_t which) { return polled[2 + 2 * i + which].revents != 0; };
      if (can(0))
        hear_client(*x);
      if (can(1))
        hear_server(*x);
    }
    for (auto& each : passages)
      write(each);
    passages.remove_if([](const passage& each) { return each.over(); });
    if (polled[1].revents != 0)
      accept();
  }
  passages.clear();
}

/// Waits until there is something to do. Returns how many passages it has looked at.
std::size_t fault_gate::state::wait(std::unique_lock<std::mutex>& lock) {
  const bool takes = !active(fault::ignore) && listener >= 0;
  polled = {{wake, POLLIN, 0}, {takes ? int{listener} : -1, POLLIN, 0}};
  int timeout = -1;
  const auto now = steady_clock::now();
  for (const auto& x : passages) {
    const bool late = !x.to_client.empty() && x.not_before > now;
    if (late)
      timeout = 1;
    const auto events = [](bool in, bool out) { return static_cast<short>((in ? POLLIN : 0) | (out ? POLLOUT : 0)); };
    const auto client = events(x.to_server.size() < most_in_flight, !x.to_client.empty() && !late);
    const auto server = events(x.to_client.size() < most_in_flight, !x.to_server.empty());
    polled.push_back({client != 0 ? int{x.client} : -1, client, 0});
    polled.push_back({server != 0 ? int{x.server} : -1, server, 0});
  }
  const auto count = passages.size();
  lock.unlock();
  ::poll(polled.data(), polled.size(), timeout);
  lock.lock();
  return count;
}

void fault_gate::state::accept() {
  if (listener < 0 || active(fault::ignore))
    return;
  descriptor client{::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  if (client < 0)
    return;
  const int on = 1;
  ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // or one byte at a time comes in larger pieces
  auto& x = passages.emplace_back();
  x.client = std::move(client);
  if (active(fault::black_hole)) {
    x.incomplete = true;
    return;
  }
  descriptor server{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto address = loopback(server_port);
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    x.client.reset();
    return;
  }
  x.server = std::move(server);
  if (struck())
    afflict(x);
}

namespace {

/// Reads once. The bytes; empty when the other side has hung up.
std::string_view read_some(int fd, std::array<char, 1 << 14>& buffer, bool& again) {
  const auto size = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  again = size < 0 && (errno == EAGAIN || errno == EINTR);
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

/// Writes what goes.
void write_some(descriptor& fd, std::string& bytes, std::size_t most) {
  const auto size = ::send(fd, bytes.data(), std::min(bytes.size(), most), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size > 0)
    bytes.erase(0, static_cast<std::size_t>(size));
  else if (size < 0 && errno != EAGAIN && errno != EINTR)
    bytes.clear(); // its reader will find that it is gone
}

} // namespace

void fault_gate::state::hear_client(passage& x) {
  if (x.client < 0)
    return;
  std::array<char, 1 << 14> buffer;
  bool again = false;
  const auto heard = read_some(x.client, buffer, again);
  if (again)
    return;
  if (active(fault::denial) && heard.starts_with('Q')) {
    x.to_client += denied;
    return;
  }
  const auto first = heard.find("select 1"sv);
  if (active(fault::wedge) && first != heard.npos && heard.find("select 1"sv, first + 1) != heard.npos)
    x.swallows = x.incomplete = true;
  const bool lost = active(fault::black_hole);
  if (heard.empty()) {
    x.client.close();
    x.to_client.clear();
    x.incomplete |= lost;
    if (!lost)
      x.server.close(); // a client that hangs up wants nothing more; its last words are on their way
    return;
  }
  x.incomplete |= lost;
  if (!lost && x.server >= 0) {
    x.to_server += heard;
    write_some(x.server, x.to_server, x.to_server.size());
  }
}

void fault_gate::state::hear_server(passage& x) {
  if (x.server < 0)
    return;
  std::array<char, 1 << 14> buffer;
  bool again = false;
  auto heard = read_some(x.server, buffer, again);
  if (again)
    return;
  if (heard.empty()) {
    x.server.close();
    x.ending |= !active(fault::black_hole);
    x.incomplete |= active(fault::black_hole);
    return;
  }
  const auto pass = [&](std::string_view words) {
    if (words.empty() || x.client < 0)
      return;
    if (active(fault::black_hole)) {
      x.incomplete = true;
    } else if (!x.swallows) {
      if (active(fault::delay) && x.to_client.empty())
        x.not_before = steady_clock::now() + how_much_later;
      x.to_client += words;
    }
  };
  while (messages > 0 && !heard.empty()) {
    bool ended = false;
    const auto size = x.meter.take(heard, ended);
    x.to_client += heard.substr(0, size);
    heard.remove_prefix(size);
    messages -= ended ? 1 : 0;
    if (struck())
      begin();
  }
  if (current != fault::none && messages == 0 && after > 0) {
    const auto before = std::min(after, heard.size());
    x.to_client += heard.substr(0, before);
    heard.remove_prefix(before);
    after -= before;
    if (after == 0)
      begin();
  }
  pass(heard);
}

void fault_gate::state::write(passage& x) {
  if (x.server >= 0 && !x.to_server.empty())
    write_some(x.server, x.to_server, x.to_server.size());
  if (x.client >= 0 && !x.to_client.empty() && x.not_before <= steady_clock::now())
    write_some(x.client, x.to_client, active(fault::trickle) ? 1 : x.to_client.size());
  if (x.ending && x.to_client.empty()) {
    x.client.close();
    x.server.close();
  }
}

} // namespace sheaf::test
