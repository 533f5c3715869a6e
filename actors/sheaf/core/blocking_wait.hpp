// SPDX-License-Identifier: BSD-3-Clause
//
// Finds waits for a reply that could never end, before they begin: on the loop that is to give the reply, and in C++
// tasks that hold all the sessions that it needs. Any thread.

#pragma once

#include "sheaf/request.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sheaf {

struct options;

/// The waits of one engine, which its futures and tasks share with it.
class engine_waits {
public:
  /// `loops` is the owner of the engine's event loops.
  engine_waits(const options& settings, const void* loops);

  /// The databases that `given` asks, a bit for each by its position; those from the 64th on share.
  std::uint64_t databases_of(const request& given) const noexcept;

  /// Has the tasks of `given` known as this engine's while they run.
  static void mark_tasks(const std::shared_ptr<engine_waits>& self, request& given);

  /// A failure with what to do, if the calling thread is a loop of the engine's.
  std::optional<failure> refusal_on_a_loop() const;

private:
  friend class blocking_wait;
  struct database {
    std::string name;
    std::size_t sessions = 0;
    std::atomic<std::size_t> tasks_that_wait = 0;
  };
  std::size_t position_of(const query& q) const noexcept;

  const void* const loops_;
  std::vector<database> databases_;
};

/// A thread waits for the reply to a request, for as long as this lives, unless that is refused.
class blocking_wait {
public:
  /// `databases` as `engine_waits::databases_of` has them.
  blocking_wait(engine_waits& of, std::uint64_t databases);
  ~blocking_wait();

  blocking_wait(const blocking_wait&) = delete;
  blocking_wait& operator=(const blocking_wait&) = delete;

  /// `invalid_request` where it must not begin, with what to do.
  const std::optional<failure>& refused() const noexcept { return refused_; }

private:
  std::atomic<std::size_t>* counted_ = nullptr;
  std::optional<failure> refused_;
};

/// True on a thread that runs a C++ task of any engine.
bool runs_a_task() noexcept;

} // namespace sheaf
