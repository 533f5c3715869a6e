// SPDX-License-Identifier: BSD-3-Clause
//
// An actor that lives on one event loop: it handles messages there, from any sender and one at a time, so it may touch
// what belongs to the loop (pools, sessions, timers, its neighbours) without a lock.

#pragma once

#include "sheaf/loop/event_loop.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_config.hpp>
#include <caf/actor_storage.hpp>
#include <caf/actor_system.hpp>
#include <caf/local_actor.hpp>
#include <caf/mailbox_element.hpp>

#include <exception>
#include <utility>

namespace sheaf {

/// Makes an actor without CAF's scheduler, and launches it on the calling thread. As `actor_system::spawn_class`, but
/// that one has the thread hold on to the system's logger until the thread ends or spawns elsewhere, and
/// `~actor_system` waits for it without limit (CAF 0.17.6, `logger::set_current_actor_system`). Where it is `hidden`,
/// `~actor_system` does not wait for the actor.
template <class Actor, class... Args>
caf::actor spawn_here(caf::actor_system& system, bool hidden, Args&&... args) {
  caf::actor_config cfg;
  auto* made =
      new caf::actor_storage<Actor>(system.next_actor_id(), system.node(), &system, cfg, std::forward<Args>(args)...);
  const caf::strong_actor_ptr handle{&made->ctrl, false};
  made->data.launch(nullptr, false, hidden);
  return caf::actor_cast<caf::actor>(handle);
}

/// A request has one of these and one for each of its queries, so it is a CAF actor without what it has no use for: no
/// mailbox (the loop's queue is that), no behavior to switch, no CAF time-outs (the loop has timers). An
/// event_based_actor takes 1 KiB, and spawning it and sending it two messages takes longer than libpq takes to send a
/// statement. It has an address, it can be monitored, linked to and killed, and actor_system waits for it.
class loop_actor : public caf::local_actor, public caf::dynamically_typed_actor_base {
public:
  loop_actor(caf::actor_config& cfg, event_loop& loop) : caf::local_actor(cfg), loop_(loop) {}

  event_loop& loop() const noexcept { return loop_; }

  /// Begins at once when spawned on its own loop.
  void launch(caf::execution_unit*, bool lazy, bool hide) final;

  using caf::local_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) final;

  bool cleanup(caf::error&& reason, caf::execution_unit* host) final;
  void on_destroy() final;

protected:
  /// Called once, first of all.
  virtual void begin() = 0;

  /// A message; never in the middle of something else that this actor does, and not after `end`.
  virtual void receive(caf::message& message) = 0;

  /// Somebody sent CAF's exit message: this actor has to deliver what it owes now.
  virtual void on_kill() = 0;

  /// Something in a call above threw. This actor has to deliver what it owes now, or ends at its deadline.
  virtual void on_thrown(const std::exception_ptr& thrown) = 0;

  /// Ends this actor. The returned pointer keeps it in memory for the rest of the caller's scope.
  [[nodiscard]] caf::strong_actor_ptr end();
  bool ended() const noexcept { return !self_; }

private:
  template <class F>
  void guard(F f);
  void take(caf::mailbox_element& element);

  event_loop& loop_;
  caf::strong_actor_ptr self_; ///< Set until `end`: the loop's neighbours hold plain pointers to the actor.
};

} // namespace sheaf
