// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/loop/loop_actor.hpp"

#include <caf/detail/sync_request_bouncer.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

namespace sheaf {

template <class F>
void loop_actor::guard(F f) {
  try {
    f();
  } catch (...) { // its own caller is to hear of it, not whoever called this actor
    on_thrown(std::current_exception());
  }
}

void loop_actor::launch(caf::execution_unit*, bool, bool hide) {
  if (!hide)
    register_at_system();
  self_ = caf::strong_actor_ptr{ctrl()};
  loop_.actor_began(); // from here on it ends by `cleanup`
  if (loop_.runs_here())
    guard([this] { begin(); });
  else
    loop_.post([this] { guard([this] { begin(); }); });
}

void loop_actor::enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) {
  if (getf(is_cleaned_up_flag)) { // and its loop may be gone as well
    caf::detail::sync_request_bouncer{caf::make_error(caf::sec::request_receiver_down)}(*element);
    return;
  }
  loop_.post([self = caf::strong_actor_ptr{ctrl()}, this,
              element = std::shared_ptr<caf::mailbox_element>{std::move(element)}] { take(*element); });
}

void loop_actor::take(caf::mailbox_element& element) {
  if (element.mid.is_request())
    caf::detail::sync_request_bouncer{caf::make_error(caf::sec::unexpected_message)}(element);
  else if (ended())
    return;
  else
    guard([&] {
      if (element.content().match_elements<caf::exit_msg>()) {
        on_kill();
      } else {
        auto content = element.move_content_to_message();
        receive(content);
      }
    });
}

/// As local_actor's, without `clock().cancel_timeouts`, which wakes CAF's clock thread for every actor that ends (CAF
/// 0.17.6). Actors that monitor or link are told by way of CAF's scheduler: their handlers have no business on the
/// loop.
bool loop_actor::cleanup(caf::error&& reason, caf::execution_unit*) {
  unregister_from_system();
  // NOLINTNEXTLINE(bugprone-parent-virtual-call): leaving local_actor's out is the point
  if (!caf::monitorable_actor::cleanup(std::move(reason), nullptr))
    return false;
  loop_.actor_ended();
  return true;
}

/// Most have ended long before; CAF's work for its log is not needed then.
void loop_actor::on_destroy() {
  if (!getf(is_cleaned_up_flag))
    caf::local_actor::on_destroy();
}

caf::strong_actor_ptr loop_actor::end() {
  cleanup(caf::error{}, nullptr);
  return std::move(self_);
}

} // namespace sheaf
