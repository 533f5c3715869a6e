// SPDX-License-Identifier: BSD-3-Clause
//
// The actors that wait for requests which came as messages: the end of one cancels its requests, as that of an HTTP
// client does. Any thread.

#pragma once

#include "sheaf/core/engine_loops.hpp"

#include <caf/actor_control_block.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sheaf {

class requesters : public std::enable_shared_from_this<requesters> {
public:
  /// Begins to watch `who`, and gives the number of its request, which has the name `id`.
  std::uint64_t expect(const caf::strong_actor_ptr& who, std::string id);

  /// The request of that number is on its way; cancels it where `who` has ended meanwhile.
  void began(const caf::strong_actor_ptr& who, std::uint64_t number, const std::shared_ptr<request_link>& sent);

  /// It is answered.
  void answered(const caf::strong_actor_ptr& who, std::uint64_t number) noexcept;

  /// Cancels those requests of `who` that have the name `id`; with an empty one all of them.
  void cancel(const caf::strong_actor_ptr& who, std::string_view id);

private:
  class watch;
  struct waiting {
    std::string id;
    std::shared_ptr<request_link> sent; ///< Null until it is on its way.
  };
  using requests = std::unordered_map<std::uint64_t, waiting>;

  void end(const caf::actor_control_block* who) noexcept;

  std::mutex mutex_; ///< Guards what follows. No call of CAF's is made under it.
  std::uint64_t last_number_ = 0;
  /// An actor stays here, and is watched, from its first request to its end: to stop watching costs CAF a search.
  std::unordered_map<const caf::actor_control_block*, requests> all_;
};

} // namespace sheaf
