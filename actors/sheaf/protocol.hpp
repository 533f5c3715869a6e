// SPDX-License-Identifier: BSD-3-Clause
//
// The engine's other front door, for people who write actors: a typed handle that answers a request message with a
// reply.

#pragma once

#include "sheaf/engine.hpp"
#include "sheaf/request_inspect.hpp"

#include <caf/fwd.hpp>
#include <caf/typed_actor.hpp>

#include <string>

namespace sheaf {

/// Cancels requests that the sender of this has sent and that are not answered yet: those with this `request::id`, or
/// all where it is empty. Each is answered with `query_canceled`.
struct cancel_request {
  std::string id;
};

/// Takes a request and answers with its reply; failures are in the reply. A request that holds C++ tasks cannot leave
/// its process. It has no thread: a request is checked where it is sent from, and goes to one of the engine's loops
/// from there, as by `run_async`.
///
/// The end of an actor that waits for a reply cancels its requests, also that of one on another machine whose
/// connection is gone; not what was only sent (`send`), which nobody waits for. CAF tells nobody when the time-out of
/// `request(door, timeout, …)` passes: set `request::deadline` to the same time, or send `cancel_request`.
using engine_actor = caf::typed_actor<caf::replies_to<request>::with<reply>, caf::reacts_to<cancel_request>>;

/// The actor of `e`, always the same one. Any thread, callbacks included. It lives as long as the engine, whatever exit
/// messages it gets, and neither `~actor_system` nor `await_all_actors_done` waits for it; afterwards requests to it
/// fail as CAF's do for a terminated actor. Throws `sheaf::error` as the engine's own calls do.
engine_actor actor_of(engine& e);

/// Makes the engine's messages known to a configuration, so that they can cross machines.
void add_message_types(caf::actor_system_config& config);

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cancel_request& x) {
  return f(x.id);
}

} // namespace sheaf
