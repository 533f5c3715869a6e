// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/factory.hpp"

#include "sheaf/backend/postgresql/opening.hpp"
#include "sheaf/backend/postgresql/session.hpp"
#include "sheaf/backend/postgresql/url.hpp"
#include "sheaf/loop/blocking_executor.hpp"

#include <atomic>
#include <new>
#include <utility>

namespace sheaf {

namespace {

class postgresql_factory final : public session_factory {
public:
  postgresql_factory(connection_parameters parameters, const database_options& limits, blocking_executor& blocking)
    : parameters_(std::make_shared<const connection_parameters>(std::move(parameters))),
      limits_(std::make_shared<const database_options>(limits)), blocking_(blocking) {}

  void open(event_loop& loop, clock::time_point give_up,
            std::function<void(result<std::unique_ptr<session>>)> done) override {
    blocking_.run([parameters = parameters_, limits = limits_, alterations = alterations_, packs = packs_,
                   &blocking = blocking_, loop = loop.shared_from_this(), end = end_of_attempt(give_up),
                   done = std::move(done)] {
      auto proof = limits->pack == packing::never ? pack_proof::refused : packs->load();
      // The function that is posted owns the connection: a loop that has stopped drops both.
      auto opened =
          std::make_shared<result<opened_connection>>(open_connection(*parameters, limits->pooler, proof, end));
      if (!opened->has_error())
        *packs = proof;
      loop->post([opened, limits, alterations, &blocking, &loop = *loop, done] {
        done(made(loop, blocking, std::move(*opened), *limits, alterations));
      });
    });
  }

  bool takes_packs() const noexcept override { return packs_->load(std::memory_order_relaxed) != pack_proof::refused; }
  std::chrono::nanoseconds open_timeout() const override { return total_connect_timeout(*parameters_); }
  sheaf::dialect dialect() const noexcept override { return dialect::postgresql; }

private:
  static result<std::unique_ptr<session>> made(event_loop& loop, blocking_executor& blocking,
                                               result<opened_connection> opened, const database_options& limits,
                                               const std::shared_ptr<alteration_count>& alterations) {
    if (opened.has_error())
      return std::move(opened).error();
    try {
      return std::unique_ptr<session>{
          std::make_unique<postgresql_session>(loop, blocking, std::move(*opened), limits, alterations)};
    } catch (const std::bad_alloc&) {
      return failure{
          .code = errc::internal, .phase = phase::connect, .message = "there is no memory for another session"};
    }
  }

  const std::shared_ptr<const connection_parameters> parameters_;
  const std::shared_ptr<const database_options> limits_; ///< Shared with attempts that may outlive the engine.
  const std::shared_ptr<alteration_count> alterations_ = std::make_shared<alteration_count>(); ///< Its sessions' own.
  const std::shared_ptr<std::atomic<pack_proof>> packs_ = std::make_shared<std::atomic<pack_proof>>();
  blocking_executor& blocking_;
};

} // namespace

result<std::unique_ptr<session_factory>> make_postgresql_factory(const database_options& database,
                                                                 blocking_executor& blocking) {
  auto parameters = parse_postgresql_url(database.url);
  if (parameters.has_error())
    return std::move(parameters).error();
  return std::make_unique<postgresql_factory>(std::move(*parameters), database, blocking);
}

} // namespace sheaf
