// SPDX-License-Identifier: BSD-3-Clause
//
// The way of a run through a session, the same for all backends; misuse asserts.

#include "sheaf/session/session.hpp"

#include <cassert>
#include <utility>

namespace sheaf {

void session::push(session_run& x) {
  assert(x.state == session_run::status::at_rest && "a run is pushed twice");
  assert(usable() && room() > 0 && "a run is pushed where there is no room for it");
  assert(x.listener && (x.pack.empty() ? x.job.query != nullptr : takes_packs()));
  x.state = session_run::status::in_line;
  x.when = {};
  x.stopped_in.reset();
  x.pack.empty() ? start(x) : start_pack(x);
}

void session::drop(session_run& x, std::function<void()> done) {
  assert(x.state == session_run::status::in_line && "a run is dropped that is in no line");
  assert(done);
  x.state = session_run::status::dropped;
  x.listener = nullptr;
  x.when_at_rest = std::move(done);
  stop(x);
}

void session::resume(session_run& x) {
  assert(x.state == session_run::status::in_line && "a run is resumed that is in no line");
  go_on(x);
}

template <class Tell>
void session::end(session_run& x, Tell tell) {
  assert(x.state != session_run::status::at_rest && "a run ends twice");
  const bool is_dropped = std::exchange(x.state, session_run::status::at_rest) == session_run::status::dropped;
  const auto when = x.when;
  auto* listener = std::exchange(x.listener, nullptr);
  const auto done = std::exchange(x.when_at_rest, nullptr);
  x.job = {};
  x.pack.clear();
  if (is_dropped)
    done();
  else
    tell(*listener, when);
}

void session::finish(session_run& x, answer&& got) {
  assert(x.pack.empty());
  end(x, [&](run_listener& to, const auto& when) { to.on_answer(std::move(got), when); });
}

void session::finish_pack(session_run& x, std::vector<packed_answer>&& got) {
  assert(x.state == session_run::status::dropped || got.size() == x.pack.size());
  end(x, [&](run_listener& to, const auto& when) { to.on_pack(std::move(got), when); });
}

} // namespace sheaf
