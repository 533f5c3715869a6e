// SPDX-License-Identifier: BSD-3-Clause
//
// The counts of all loops together: connections, all and by address, event streams, and requests that run. Any thread;
// the lock is taken once for a connection, and only when addresses are counted.

#pragma once

#include "app/serve/limits.hpp"

#include <boost/asio/ip/address.hpp>

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace sheaf::app::serve {

class traffic {
public:
  /// `wake` is an eventfd of the thread that gives memory back.
  traffic(const service_limits& limits, int wake) : limits_(limits), wake_(wake) {}

  /// False, and not counted, when the limit is reached.
  bool connect(const boost::asio::ip::address& from);
  void disconnect(const boost::asio::ip::address& from);

  /// The same for a request.
  bool begin_request() {
    if (in_flight_.fetch_add(1, std::memory_order_relaxed) < limits_.in_flight_max)
      return true;
    end_request();
    return false;
  }
  void end_request() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }

  /// A client begins to hear events.
  void begin_events() { event_streams_.fetch_add(1, std::memory_order_relaxed); }
  void end_events() { event_streams_.fetch_sub(1, std::memory_order_relaxed); }

  /// The same for the values of an answer that is too long to be written at once. One alone may be of any size.
  bool hold(std::size_t bytes) {
    const auto before = unread_bytes_.fetch_add(bytes, std::memory_order_relaxed);
    if (before == 0 || before + bytes <= limits_.unread_bytes_max)
      return true;
    let_go(bytes);
    return false;
  }
  void let_go(std::size_t bytes) { unread_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  /// Memory is free that the allocator would keep; it is given back on a thread that may wait for that.
  void give_back_memory();
  bool has_memory_to_give_back() { return has_memory_.exchange(false); }

  std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }
  std::size_t event_streams() const { return event_streams_.load(std::memory_order_relaxed); }
  std::size_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }

private:
  const service_limits& limits_;
  const int wake_;
  std::atomic<bool> has_memory_{false};
  std::atomic<std::size_t> connections_{0}, event_streams_{0}, in_flight_{0}, unread_bytes_{0};
  std::mutex lock_;
  std::map<boost::asio::ip::address, std::size_t> by_address_;
};

/// The streamed results of each database at once. Any thread.
class stream_counts {
public:
  /// `max` has the bound of each database, by position.
  explicit stream_counts(std::vector<std::size_t> max) : max_(std::move(max)), now_(max_.size()) {}

  /// False, and not counted, when the limit is reached.
  bool begin(std::size_t database) {
    if (now_[database].fetch_add(1, std::memory_order_relaxed) < max_[database])
      return true;
    end(database);
    return false;
  }
  void end(std::size_t database) { now_[database].fetch_sub(1, std::memory_order_relaxed); }

private:
  const std::vector<std::size_t> max_;
  std::vector<std::atomic<std::size_t>> now_;
};

} // namespace sheaf::app::serve
