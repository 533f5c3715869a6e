// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/notice_box.hpp"

#include <utility>

namespace sheaf {

namespace {

constexpr std::size_t notices_max = 100, notice_bytes_max = 16 << 10;

/// The values that are looked for in notices, all times together: that takes some milliseconds of the loop's time.
constexpr std::size_t bytes_looked_through_max = 4 << 20;

std::size_t bytes_of(const notice& x) noexcept {
  return x.message.size() + x.detail.size() + x.hint.size() + x.context.size();
}

} // namespace

void notice_box::listen_to(PGconn* conn) noexcept {
  PQsetNoticeReceiver(
      conn,
      [](void* box, const PGresult* said) {
        auto& self = *static_cast<notice_box*>(box);
        try {
          if (self.listens_)
            self.add(*said);
        } catch (...) { // no memory: nothing may be thrown through libpq, and a notice is worth no failure
          ++self.kept_.left_out;
        }
      },
      this);
}

void notice_box::begin(const execution& job) {
  values_.reset();
  bytes_ = bytes_looked_through_ = 0;
  kept_ = {};
  text_ = job.text;
  given_ = &job.query->parameters;
  listens_ = true;
}

void notice_box::stop() noexcept {
  listens_ = false;
  values_.reset();
}

notices notice_box::take() { return std::exchange(kept_, {}); }

void notice_box::add(const PGresult& said) {
  const server_error words{&said};
  if (text_ && !values_)
    values_.emplace(*text_, *given_);
  if (values_)
    bytes_looked_through_ += bytes_of(values_->secrets());
  if (kept_.left_out > 0 || kept_.kept.size() == notices_max || bytes_looked_through_ > bytes_looked_through_max) {
    ++kept_.left_out;
    return;
  }
  auto made = values_ ? notice_of(words, text_->text, values_->secrets()) : notice_of(words);
  bytes_ += bytes_of(made);
  if (bytes_ <= notice_bytes_max)
    kept_.kept.push_back(std::move(made));
  else
    ++kept_.left_out;
}

} // namespace sheaf
