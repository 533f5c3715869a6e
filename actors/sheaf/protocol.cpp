// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/protocol.hpp"

#include "sheaf/core/engine_core.hpp"
#include "sheaf/core/messages.hpp"
#include "sheaf/core/requesters.hpp"
#include "sheaf/loop/loop_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/local_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/sec.hpp>

#include <set>
#include <shared_mutex>

namespace sheaf {

namespace {

/// Nothing, where nobody asks for an answer.
void bounce_with(const caf::mailbox_element& element, caf::sec why) {
  if (element.sender && element.mid.is_request())
    element.sender->enqueue(nullptr, element.mid.response_id(), caf::make_message(caf::make_error(why)), nullptr);
}

/// An address without a mailbox: takes a message on the thread that sends it, as `run_async` takes a request. An actor
/// on CAF's scheduler would cost hops there and back (docs/performance.md).
class front_actor final : public caf::local_actor, public caf::dynamically_typed_actor_base {
public:
  front_actor(caf::actor_config& cfg, engine_core& core) : caf::local_actor(cfg), core_(&core) {}

  const char* name() const override { return "sheaf.engine"; }
  std::set<std::string> message_types() const override { return system().message_types<engine_actor>(); }

  void launch(caf::execution_unit*, bool, bool) override {}
  using caf::local_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) override;

  /// As loop_actor's: without the calls of `local_actor` to the system, which may be gone.
  bool cleanup(caf::error&& reason, caf::execution_unit*) override {
    // NOLINTNEXTLINE(bugprone-parent-virtual-call): leaving local_actor's out is the point
    return caf::monitorable_actor::cleanup(std::move(reason), nullptr);
  }
  void on_destroy() override {} ///< The engine has ended it.

  /// Ends it; once this has returned, no thread is in the engine on its behalf.
  void end() {
    {
      const std::lock_guard guard{mutex_};
      core_ = nullptr;
    }
    cleanup(caf::make_error(caf::exit_reason::user_shutdown), nullptr);
  }

private:
  void take(request& given, caf::response_promise promise, bool is_awaited, const caf::strong_actor_ptr& sender);

  std::shared_mutex mutex_; ///< Shared while a request is handed over.
  engine_core* core_;       ///< Null once ended.
  const unsigned born_ = forks();
  const std::shared_ptr<requesters> requesters_ = std::make_shared<requesters>();
};

void front_actor::enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) {
  if (born_ != forks()) { // whoever held the lock, when the parent forked, is not here to let it go
    bounce_with(*element, caf::sec::request_receiver_down);
    return;
  }
  const std::shared_lock guard{mutex_};
  if (!core_) {
    bounce_with(*element, caf::sec::request_receiver_down);
    return;
  }
  if (handle_system_message(*element, nullptr, true))
    return;
  if (element->content().match_elements<cancel_request>()) {
    if (element->sender)
      requesters_->cancel(element->sender, element->content().get_as<cancel_request>(0).id);
  } else if (element->content().match_elements<request>()) {
    auto content = element->move_content_to_message();
    const auto sender = element->sender;
    const bool is_awaited = element->mid.is_request();
    take(content.get_mutable_as<request>(0), {caf::strong_actor_ptr{ctrl()}, *element}, is_awaited, sender);
  } else { // a stranger's, or an exit message
    bounce_with(*element, caf::sec::unexpected_message);
  }
}

void front_actor::take(request& given, caf::response_promise promise, bool is_awaited,
                       const caf::strong_actor_ptr& sender) {
  const auto waits = is_awaited ? sender : nullptr;
  std::uint64_t number = 0;
  try {
    if (waits)
      number = requesters_->expect(waits, given.id);
    auto link = core_->submit(std::move(given), [all = requesters_, waits, number, promise](reply x) mutable {
      if (waits)
        all->answered(waits, number);
      promise.deliver(std::move(x));
    });
    if (waits)
      requesters_->began(waits, number, link);
  } catch (...) { // whoever has sent it is to hear of it, and is no place for exceptions of ours
    if (number != 0)
      requesters_->answered(waits, number);
    promise.deliver(refusal({.code = errc::internal, .message = early_end_for(std::current_exception()).message}));
  }
}

} // namespace

/// The one way from the public engine to what is behind it.
class protocol_access {
public:
  static engine_core& core_of(engine& e) { return e.core(); }
};

engine_actor actor_of(engine& e) {
  auto& core = protocol_access::core_of(e);
  return caf::actor_cast<engine_actor>(core.front([&core]() -> engine_core::front_actor {
    const auto made = spawn_here<front_actor>(core.system(), true, core);
    auto* front = static_cast<front_actor*>(caf::actor_cast<caf::abstract_actor*>(made));
    return {made, [front] { front->end(); }};
  }));
}

void add_message_types(caf::actor_system_config& config) {
  config.add_message_type<request>("sheaf.request")
      .add_message_type<reply>("sheaf.reply")
      .add_message_type<cancel_request>("sheaf.cancel_request")
      .add_message_type<query_done>("sheaf.query_done")
      .add_message_type<query_called>("sheaf.query_called")
      .add_message_type<early_end>("sheaf.early_end");
}

} // namespace sheaf
