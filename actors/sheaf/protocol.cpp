// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/protocol.hpp"

#include "sheaf/core/engine_core.hpp"
#include "sheaf/core/messages.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <unordered_map>

namespace sheaf {

namespace {

/// A reply on its way from a loop to the actor that promised it.
struct answered {
  std::uint64_t number = 0;
  sheaf::reply got;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, answered& x) {
  return f(x.number, x.got);
}

/// The engine is about to close: new requests are answered with `pool_closed`, those in flight as they come back.
struct detach {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, detach&) {
  return f();
}

using front_handle = engine_actor::extend<caf::reacts_to<answered>, caf::replies_to<detach>::with<bool>>;

/// Lives on CAF's scheduler like any actor, and keeps the promises: a promise may only be kept by the actor that made
/// it.
struct front_state {
  engine_core* core = nullptr; ///< Null once detached.
  std::uint64_t last_number = 0;
  std::unordered_map<std::uint64_t, caf::typed_response_promise<reply>> promises;
  static inline const char* name = "sheaf.engine";
};

front_handle::behavior_type front_actor(front_handle::stateful_pointer<front_state> self, engine_core* core) {
  self->state.core = core;
  // CAF's own would print what a stranger has sent, contents and all.
  self->set_default_handler(caf::drop);
  self->set_down_handler([](const caf::down_msg&) {});
  return {
      [self](request& given) -> caf::result<reply> {
        if (!self->state.core)
          return refusal({.code = errc::pool_closed, .message = engine_closed().message});
        const auto number = ++self->state.last_number;
        auto promise = self->make_response_promise<reply>();
        self->state.promises.emplace(number, promise);
        try {
          self->state.core->submit(std::move(given), [front = front_handle{self}, number](reply x) {
            caf::anon_send(front, answered{number, std::move(x)});
          });
        } catch (...) { // an exception would end this actor, and leave all others who wait without a reply
          self->state.promises.erase(number);
          return refusal({.code = errc::internal, .message = early_end_for(std::current_exception()).message});
        }
        return promise;
      },
      [self](answered& x) {
        const auto promise = self->state.promises.extract(x.number);
        if (!promise.empty())
          promise.mapped().deliver(std::move(x.got));
      },
      [self](detach) {
        self->state.core = nullptr;
        return true;
      },
  };
}

} // namespace

/// The one way from the public engine to what is behind it.
class protocol_access {
public:
  static engine_core& core_of(engine& e) noexcept { return *e.core_; }
};

engine_actor actor_of(engine& e) {
  auto& core = protocol_access::core_of(e);
  return caf::actor_cast<engine_actor>(core.front([&core]() -> engine_core::front_actor {
    const auto front = core.system().spawn(front_actor, &core);
    return {caf::actor_cast<caf::actor>(front), [front, &core] {
              caf::scoped_actor self{core.system()};
              self->request(front, caf::infinite, detach{})
                  .receive([](bool) {}, [](const caf::error&) {}); // gone is as good
            }};
  }));
}

void add_message_types(caf::actor_system_config& config) {
  config.add_message_type<request>("sheaf.request")
      .add_message_type<reply>("sheaf.reply")
      .add_message_type<query_done>("sheaf.query_done")
      .add_message_type<query_called>("sheaf.query_called")
      .add_message_type<early_end>("sheaf.early_end");
}

} // namespace sheaf
