// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/traffic.hpp"

#include <cstdint>
#include <unistd.h>

namespace sheaf::app::serve {

bool traffic::connect(const boost::asio::ip::address& from) {
  if (connections_.fetch_add(1, std::memory_order_relaxed) >= limits_.connections_max) {
    connections_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  if (limits_.connections_per_address_max == 0)
    return true;
  const std::lock_guard held{lock_};
  auto& count = by_address_[from];
  if (count >= limits_.connections_per_address_max) {
    connections_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  ++count;
  return true;
}

void traffic::give_back_memory() {
  if (has_memory_.exchange(true))
    return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

void traffic::disconnect(const boost::asio::ip::address& from) {
  connections_.fetch_sub(1, std::memory_order_relaxed);
  if (limits_.connections_per_address_max == 0)
    return;
  const std::lock_guard held{lock_};
  if (const auto found = by_address_.find(from); found != by_address_.end() && --found->second == 0)
    by_address_.erase(found);
}

} // namespace sheaf::app::serve
