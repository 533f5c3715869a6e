// SPDX-License-Identifier: BSD-3-Clause
//
// A network of two hosts: two network namespaces, which have nothing but a link to each other. Its packets pass through
// this process, which loses, delays and refuses them on demand. Both are gone with it, however it ends.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace sheaf::test {

/// Who answers a packet that is let through to nobody.
enum class refusal {
  none,       ///< All are let through.
  reset,      ///< A firewall resets the connection.
  unreachable ///< A router says that the host cannot be reached.
};

/// What becomes of the packets. They overtake each other where the delays differ.
struct weather {
  double lost_out = 0, lost_back = 0;            ///< The shares that are lost, on their way there and back.
  std::chrono::milliseconds delay{0}, jitter{0}; ///< What a packet takes, each way: `delay`, give or take `jitter`.
  std::size_t largest_out = 65535; ///< In bytes, on the way there: larger ones are lost, and nobody says so.
  refusal refused_by = refusal::none;
};

/// Needs root, or CAP_SYS_ADMIN and CAP_NET_ADMIN, and /dev/net/tun. Belongs to the thread that makes it.
class network_link {
public:
  static constexpr const char* here = "192.0.2.1"; ///< An address of those for documentation, as is the other.
  static constexpr const char* there = "192.0.2.2";

  /// The thread is `here` from now on, with all threads and processes that it starts. Throws where the system lets
  /// nobody do that.
  network_link();
  ~network_link(); ///< The thread is back where it was.

  network_link(const network_link&) = delete;
  network_link& operator=(const network_link&) = delete;

  /// Calls `f` with the thread at the other end; a process that it starts stays there.
  void go_there(const std::function<void()>& f);

  /// The weather from now on. Fair at the beginning. Any thread.
  void set(const weather& now);

  std::uint64_t harmed() const; ///< Packets that were lost, refused or late, so far. Any thread.

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace sheaf::test
