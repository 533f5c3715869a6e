// SPDX-License-Identifier: BSD-3-Clause
//
// The work of a connection for a request that is whole.

#include "app/serve/arguments.hpp"
#include "app/serve/connection.hpp"
#include "app/serve/connection_host.hpp"
#include "app/serve/page.hpp"
#include "app/serve/problem.hpp"
#include "app/serve/time_limit.hpp"

#include "app/base/duration.hpp"
#include "app/base/word_table.hpp"
#include "app/scenario/request_maker.hpp"

#include "sheaf/clock.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace sheaf::app::serve {

namespace {

using http::status;

constexpr std::chrono::seconds ready_time_max{1}, ready_worth{1};

std::string_view type_of(std::string_view file) {
  if (file.ends_with(".html"))
    return "text/html; charset=utf-8";
  if (file.ends_with(".css"))
    return "text/css; charset=utf-8";
  return file.ends_with(".js") ? "text/javascript; charset=utf-8" : "application/octet-stream";
}

/// The options of a request's answer, taken out of its query string; the rest are the request's parameters.
struct run_options {
  answer_form form;
  bool on_shared_session = false;
  std::vector<bad_argument> bad;
};

constexpr meaning<answer_shape> shapes[]{
    {"rows", answer_shape::rows}, {"objects", answer_shape::objects}, {"scalar", answer_shape::scalar}};
constexpr meaning<bool> numbers_are_exact[]{{"number", false}, {"string", true}};
constexpr meaning<bool> arrays_are_text[]{{"list", false}, {"text", true}};
constexpr meaning<bool> sessions_are_shared[]{{"own", false}, {"shared", true}};

/// Sets `to` to the meaning of `text`, which has to be one of the words.
template <class T, std::size_t N>
void choose(T& to, std::string_view name, std::string_view text, const meaning<T> (&words)[N],
            std::vector<bad_argument>& bad) {
  if (const auto* found = find_meaning(text, words)) {
    to = *found;
    return;
  }
  std::string reason = "it is one of";
  for (const auto& x : words)
    (reason += ' ') += x.word;
  bad.push_back({std::string{name}, std::move(reason)});
}

/// A parameter that the request declares hides an option of its name, unless the parameters are in the body.
run_options take_options(const request_spec& spec, std::vector<named_text>& query, bool has_body) {
  run_options made;
  std::erase_if(query, [&](const auto& x) {
    const auto& name = x.first;
    const auto text = x.second ? std::string_view{*x.second} : std::string_view{};
    if (!has_body && spec.find_parameter(name))
      return false;
    if (name == "shape")
      choose(made.form.shape, name, text, shapes, made.bad);
    else if (name == "numbers")
      choose(made.form.values.exact_numbers, name, text, numbers_are_exact, made.bad);
    else if (name == "arrays")
      choose(made.form.values.arrays_as_text, name, text, arrays_are_text, made.bad);
    else if (name == "session")
      choose(made.on_shared_session, name, text, sessions_are_shared, made.bad);
    else
      return false;
    return true;
  });
  return made;
}

/// The deadline that the caller asks for; nothing when it asks for none.
result<std::optional<std::chrono::nanoseconds>> wanted_deadline(const http::request<http::string_body>& of) {
  std::optional<std::chrono::nanoseconds> least;
  const auto take = [&](const result<std::chrono::nanoseconds>& x) {
    if (x)
      least = least ? std::min(*least, *x) : *x;
    return x.has_value();
  };
  if (const auto text = of["grpc-timeout"]; !text.empty())
    if (const auto x = parse_grpc_timeout({text.data(), text.size()}); !take(x))
      return x.error();
  if (const auto text = of["X-Request-Timeout"]; !text.empty())
    if (const auto x = parse_duration({text.data(), text.size()}); !take(x))
      return failure{.code = errc::invalid_request, .message = "X-Request-Timeout is a duration such as 500ms or 2s"};
  return least;
}

} // namespace

void connection::serve() {
  auto& x = *exchange_;
  auto& all = home_.shared();
  switch (x.where->act) {
  case action::page: {
    const auto& file = page_files()[x.where->index];
    respond(response{.type = type_of(file.name), .body = std::string{file.content}});
    return;
  }
  case action::health:
    respond(response{.type = "text/plain", .body = "ok\n"});
    return;
  case action::ready:
    check_ready();
    return;
  case action::metrics:
    respond(response{.type = "text/plain; version=0.0.4; charset=utf-8", .body = all.metrics_text()});
    return;
  case action::openapi:
    respond(response{.body = all.openapi()});
    return;
  case action::catalogue:
    respond(response{.body = all.catalogue});
    return;
  case action::events:
    begin_events();
    return;
  case action::recent:
    tell_recent();
    return;
  case action::explain:
    explain();
    return;
  case action::run:
    run();
    return;
  }
}

void connection::run() {
  auto& x = *exchange_;
  const auto& spec = home_.request(x.where->index);
  const bool has_body = x.request().method() == http::verb::post;
  const auto options = take_options(spec, x.asked.query, has_body);
  std::vector<argument> given;
  if (!has_body) {
    given = arguments_of(spec, x.asked.query);
  } else if (!x.request().body().empty()) {
    auto read = parse_json_arguments(x.request().body());
    if (read.has_error()) {
      respond(make_problem(status::bad_request, "bad_json", read.error().message, x.id));
      return;
    }
    given = std::move(*read);
  }
  auto typed = type_arguments(spec, given);
  typed.bad.insert(typed.bad.end(), options.bad.begin(), options.bad.end());
  if (has_body)
    for (const auto& [name, text] : x.asked.query)
      typed.bad.push_back({name, "with POST the parameters are in the body"});
  if (!typed.bad.empty()) {
    respond(make_problem(typed.bad, x.id));
    return;
  }
  auto made = make_request(home_.shared().file.databases, spec, typed.values);
  const auto wanted = wanted_deadline(x.request());
  if (made.has_error() || wanted.has_error()) {
    const auto& why = made.has_error() ? made.error() : wanted.error();
    respond(make_problem(status::bad_request, to_string(why.code), why.message, x.id));
    return;
  }
  const auto bytes_max = home_.shared().limits.response_bytes_max;
  made->max_bytes = std::min(made->max_bytes.value_or(bytes_max), bytes_max);
  if (*wanted) {
    const auto usual = sheaf::options{}.deadline;
    made->deadline = std::min(**wanted, made->deadline.value_or(usual));
  }
  made->id = x.id;
  if (!has_body && spec.method != request_method::get)
    for (auto& q : made->queries)
      q.no_writes = true;
  x.form = options.form;
  stream_rows(*made, spec);
  run(std::move(*made), options.on_shared_session);
}

void connection::run(request asked, bool on_shared_session) {
  auto& x = *exchange_;
  auto& all = home_.shared();
  if (x.stream && !begin_stream(asked)) {
    respond(make_problem(status::too_many_requests, "too_many_streams",
                         "as many results are being streamed from this database as may be at once", x.id));
    return;
  }
  if (!all.counts.begin_request()) {
    end_counted_stream();
    respond(make_problem(status::too_many_requests, "too_many_requests", "the maximum number of requests runs already",
                         x.id));
    return;
  }
  for (const auto& q : asked.queries)
    x.databases.push_back(q.database.empty() ? all.file.databases.front().name : q.database);
  state_ = state::running;
  give_up_ = clock::time_point::max(); // the engine answers by the request's deadline
  auto finish = [this](reply r) { finish_run(std::move(r)); };
  // Behind the last rows, which come the same way.
  auto finish_later = [this, &here = home_.context()](reply r) {
    boost::asio::post(here, [this, r = std::move(r)]() mutable { finish_run(std::move(r)); });
  };
  x.on_shared_session = on_shared_session;
  if (on_shared_session) {
    asked.width = asked.queries.size(); // all at once, as the caller meant it; they wait for the session
    x.running = all.shared_session.run_async(std::move(asked), finish_later);
  } else if (x.stream) {
    x.running = all.own_sessions.run_async(std::move(asked), finish_later);
  } else {
    x.running = all.own_sessions.run_async(std::move(asked), finish);
  }
}

/// A stream keeps a session for as long as its client reads: others want some, too.
bool connection::begin_stream(const request& asked) {
  auto& x = *exchange_;
  auto& all = home_.shared();
  const auto& q = asked.queries[x.stream->query];
  const auto& databases = all.file.databases;
  const auto at = std::find_if(databases.begin(), databases.end(), [&](const auto& d) { return d.name == q.database; });
  const auto database = static_cast<std::size_t>(at == databases.end() ? 0 : at - databases.begin());
  if (!all.streams.begin(database))
    return false;
  x.stream_of = database;
  return true;
}

void connection::end_counted_stream() {
  if (const auto database = std::exchange(exchange_->stream_of, std::nullopt))
    home_.shared().streams.end(*database);
}

/// The request has failed as a whole.
void connection::refuse_run(const failure& why) {
  // A write in a transaction that reads only, and an attempt to change that.
  constexpr std::string_view read_only_sql_transaction = "25006", active_sql_transaction = "25001";
  auto& x = *exchange_;
  // A request that the file lets GET run, whatever it does, is not guarded.
  const bool is_guarded = home_.request(x.where->index).method != request_method::get;
  const bool would_write =
      is_guarded && (why.sqlstate == read_only_sql_transaction || why.sqlstate == active_sql_transaction);
  auto made = make_problem(why, x.id);
  auto detail = std::move(made.detail);
  if (would_write && x.request().method() != http::verb::post) {
    made = make_problem(status::method_not_allowed, "changes_something", "it would change something, which takes POST",
                        x.id);
    made.fields += "Allow: POST, OPTIONS\r\n";
  } else if (cut_ && why.code == errc::query_canceled) {
    made = make_problem(status::service_unavailable, "draining", "the service ends", x.id);
  }
  made.detail = std::move(detail);
  respond(std::move(made));
}

void connection::finish_run(reply x) {
  home_.shared().counts.end_request();
  end_counted_stream();
  if (exchange_->where->act == action::run && home_.seen().keeps_timeline())
    exchange_->timeline =
        timeline_of(x, exchange_->databases, exchange_->on_shared_session, home_.shared().rules.is_private);
  if (gone_) {
    exchange_->stream.reset();
    end_lost();
    return;
  }
  if (exchange_->stream)
    end_stream(std::move(x));
  else
    respond(std::move(x));
}

/// Asks each database, unless that was done a moment ago.
void connection::check_ready() {
  auto& all = home_.shared();
  if (home_.stopping()) {
    respond(make_problem(status::service_unavailable, "draining", "the service ends", exchange_->id));
    return;
  }
  const auto tell = [this](const connection_host::readiness& x) {
    if (x.code.empty()) {
      respond(response{.body = "{\"ready\":true}"});
      return;
    }
    auto refused = make_problem(status::service_unavailable, x.code, "a database does not answer", exchange_->id);
    refused.detail = x.detail;
    respond(std::move(refused));
  };
  if (clock::now() < home_.ready().until) {
    tell(home_.ready());
    return;
  }
  request asked;
  asked.on_error = error_policy::partial;
  asked.priority = priority::high;
  asked.deadline = ready_time_max;
  for (const auto& d : all.file.databases) {
    query q{d.name, "select 1"};
    q.database = d.name;
    q.read_only = true;
    q.required = false;
    asked.queries.push_back(std::move(q));
  }
  asked.width = asked.queries.size();
  state_ = state::running;
  give_up_ = clock::time_point::max();
  exchange_->running = all.own_sessions.run_async(std::move(asked), [this, tell](const reply& r) {
    auto& kept = home_.ready();
    const auto bad = std::find_if(r.outcomes.begin(), r.outcomes.end(), [](const outcome& o) { return !o.ok(); });
    kept = {.until = clock::now() + ready_worth, .code = {}, .detail = {}};
    if (!r.ok() || bad != r.outcomes.end()) {
      const auto& why = bad != r.outcomes.end() ? *bad->error_info() : *r.failure;
      kept.code = to_string(why.code);
      kept.detail = to_string(why);
    }
    if (gone_)
      end_lost();
    else
      tell(kept);
  });
}

} // namespace sheaf::app::serve
