// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/handover.hpp"

#include <unistd.h>

#include <utility>

namespace sheaf::app::serve {

moving_client::moving_client(moving_client&& x) noexcept
  : address(x.address), tls(std::move(x.tls)), unread(std::move(x.unread)), socket_(x.take_socket()) {}

moving_client::~moving_client() {
  if (socket_ >= 0)
    ::close(socket_);
}

int moving_client::take_socket() noexcept { return std::exchange(socket_, -1); }

void handover::go_to(std::vector<client_taker*> loops) {
  const std::lock_guard held{lock_};
  loops_ = std::move(loops);
  next_ = 0;
}

/// Under the lock, so that a loop which has been replaced knows of all that are on their way to it.
bool handover::pass(moving_client x) {
  const std::lock_guard held{lock_};
  if (loops_.empty())
    return false;
  loops_[next_++ % loops_.size()]->adopt(std::move(x));
  return true;
}

} // namespace sheaf::app::serve
