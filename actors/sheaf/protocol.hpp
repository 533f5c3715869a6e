// SPDX-License-Identifier: BSD-3-Clause
//
// The engine's other front door, for people who write actors: a typed handle that answers a request message with a
// reply.

#pragma once

#include "sheaf/engine.hpp"
#include "sheaf/request_inspect.hpp"

#include <caf/fwd.hpp>
#include <caf/typed_actor.hpp>

namespace sheaf {

/// Takes a request and answers with its reply; failures are in the reply. A request that holds C++ tasks cannot leave
/// its process.
using engine_actor = caf::typed_actor<caf::replies_to<request>::with<reply>>;

/// The actor of `e`. Lives as long as the engine; afterwards requests to it fail as CAF's do for a terminated actor.
engine_actor actor_of(engine& e);

/// Makes the engine's messages known to a configuration, so that they can cross machines.
void add_message_types(caf::actor_system_config& config);

} // namespace sheaf
