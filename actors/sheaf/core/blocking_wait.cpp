// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/blocking_wait.hpp"

#include "sheaf/loop/event_loop.hpp"
#include "sheaf/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sheaf {

namespace {

/// The C++ task that a thread runs.
struct running_task {
  const engine_waits* engine;
  std::size_t database;
};

thread_local const running_task* task_here = nullptr;

constexpr std::uint64_t bit(std::size_t database) noexcept { return std::uint64_t{1} << database % 64; }

} // namespace

engine_waits::engine_waits(const options& settings, const void* loops)
  : loops_(loops), databases_(settings.databases.size()) {
  for (std::size_t i = 0; i < databases_.size(); ++i) {
    databases_[i].name = settings.databases[i].name;
    databases_[i].sessions = settings.databases[i].pool.max_size;
  }
}

/// One past the last for a name that is not there, which is refused later.
std::size_t engine_waits::position_of(const query& q) const noexcept {
  if (q.database.empty())
    return 0;
  const auto at =
      std::find_if(databases_.begin(), databases_.end(), [&](const auto& x) { return x.name == q.database; });
  return static_cast<std::size_t>(at - databases_.begin());
}

std::uint64_t engine_waits::databases_of(const request& given) const noexcept {
  std::uint64_t all = 0;
  for (const auto& q : given.queries)
    all |= bit(position_of(q));
  return all;
}

void engine_waits::mark_tasks(const std::shared_ptr<engine_waits>& self, request& given) {
  for (auto& q : given.queries)
    if (q.run)
      q.run = [run = std::move(q.run), self, database = self->position_of(q)](soci::session& s) {
        const running_task here{self.get(), database};
        const auto* outer = std::exchange(task_here, &here);
        struct restore {
          const running_task* outer;
          ~restore() { task_here = outer; }
        } const at_the_end{outer};
        return run(s);
      };
}

std::optional<failure> engine_waits::refusal_on_a_loop() const {
  const auto* loop = event_loop::current();
  if (!loop || loop->owner() != loops_)
    return {};
  return invalid_request(
      "to wait for a reply would block the engine's own loop, which is to give it: use run_async() in "
      "a callback");
}

bool runs_a_task() noexcept { return task_here != nullptr; }

/// Each task that waits holds a session. Once as many wait as there are sessions, none of them ever comes free: the
/// last one to begin is refused, and with it one session comes free.
blocking_wait::blocking_wait(engine_waits& of, std::uint64_t databases) {
  refused_ = of.refusal_on_a_loop();
  if (refused_ || !task_here || task_here->engine != &of || task_here->database >= of.databases_.size() ||
      !(databases & bit(task_here->database)))
    return;
  auto& database = of.databases_[task_here->database];
  if (database.tasks_that_wait.fetch_add(1) + 1 < database.sessions) {
    counted_ = &database.tasks_that_wait;
    return;
  }
  database.tasks_that_wait.fetch_sub(1);
  refused_ = invalid_request(fmt::format(
      "this C++ task would wait for ever: each of the {} sessions of database {} is held by a task that waits for "
      "another one; use the task's own session, or raise pool.max_size",
      database.sessions, database.name));
}

blocking_wait::~blocking_wait() {
  if (counted_)
    counted_->fetch_sub(1);
}

} // namespace sheaf
