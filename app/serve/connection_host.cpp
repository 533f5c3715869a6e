// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/connection_host.hpp"

#include <utility>

namespace sheaf::app::serve {

namespace {

constexpr std::size_t spare_max = 64;
constexpr std::size_t spare_bytes_max = 1 << 17; ///< The size of one.

} // namespace

connection_host::connection_host(boost::asio::io_context& context, service& of)
  : context_(context), service_(of), requests_(of.file.requests) {
  for (auto& request : requests_)
    for (auto& q : request.queries)
      q.query.statement = statement{q.query.statement.sql()};
}

connection_host::~connection_host() { service_.seen.take(seen_); }

std::unique_ptr<exchange> connection_host::take_exchange() {
  if (spare_.empty())
    return std::make_unique<exchange>();
  auto x = std::move(spare_.back());
  spare_.pop_back();
  return x;
}

void connection_host::put_back(std::unique_ptr<exchange> x) {
  if (spare_.size() == spare_max || x->out.capacity() + x->piece.capacity() + x->unread.capacity() > spare_bytes_max)
    return;
  x->reset(service_.limits.body_bytes_max); // gives back what the request held
  x->parser.reset();
  x->unread.clear();
  spare_.push_back(std::move(x));
}

} // namespace sheaf::app::serve
