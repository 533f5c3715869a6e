// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/requesters.hpp"

#include "sheaf/core/messages.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/attachable.hpp>

#include <exception>
#include <utility>
#include <vector>

namespace sheaf {

namespace {

early_end of_a_requester_that_is_gone() { return {errc::query_canceled, "the actor that sent the request has ended"}; }

} // namespace

/// CAF calls it when the actor ends, and destroys it then; also that of an actor on another machine that has gone.
class requesters::watch : public caf::attachable {
public:
  watch(std::shared_ptr<requesters> all, const caf::actor_control_block* who) : all_(std::move(all)), who_(who) {}
  ~watch() override { all_->end(who_); }

  void actor_exited(const caf::error&, caf::execution_unit*) override { all_->end(who_); }

private:
  const std::shared_ptr<requesters> all_;
  const caf::actor_control_block* const who_; ///< Only to be compared.
};

std::uint64_t requesters::expect(const caf::strong_actor_ptr& who, std::string id) {
  std::unique_lock guard{mutex_};
  const auto number = ++last_number_;
  const auto [place, is_new] = all_.try_emplace(who.get());
  place->second.emplace(number, waiting{std::move(id), {}});
  guard.unlock();
  if (is_new)
    who->get()->attach(caf::attachable_ptr{new watch{shared_from_this(), who.get()}});
  return number;
}

void requesters::began(const caf::strong_actor_ptr& who, std::uint64_t number,
                       const std::shared_ptr<request_link>& sent) {
  std::unique_lock guard{mutex_};
  const auto place = all_.find(who.get());
  if (place != all_.end()) {
    if (const auto mine = place->second.find(number); mine != place->second.end())
      mine->second.sent = sent;
    return; // else it is answered already
  }
  guard.unlock();
  end_request(sent, of_a_requester_that_is_gone());
}

void requesters::answered(const caf::strong_actor_ptr& who, std::uint64_t number) noexcept {
  const std::lock_guard guard{mutex_};
  if (const auto place = all_.find(who.get()); place != all_.end())
    place->second.erase(number);
}

/// Also for an actor that has none: the end of a watch comes after that of its actor.
void requesters::end(const caf::actor_control_block* who) noexcept {
  try {
    std::unique_lock guard{mutex_};
    const auto its_own = all_.extract(who);
    guard.unlock();
    if (!its_own.empty())
      for (const auto& [number, x] : its_own.mapped())
        end_request(x.sent, of_a_requester_that_is_gone());
  } catch (const std::exception&) { // no memory to say so: they end at their deadlines
  }
}

void requesters::cancel(const caf::strong_actor_ptr& who, std::string_view id) {
  std::vector<std::shared_ptr<request_link>> chosen;
  {
    const std::lock_guard guard{mutex_};
    if (const auto place = all_.find(who.get()); place != all_.end())
      for (const auto& [number, x] : place->second)
        if (id.empty() || x.id == id)
          chosen.push_back(x.sent);
  }
  for (const auto& x : chosen)
    end_request(x, cancelled_by_caller());
}

} // namespace sheaf
