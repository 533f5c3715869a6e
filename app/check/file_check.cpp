// SPDX-License-Identifier: BSD-3-Clause

#include "app/check/file_check.hpp"

#include "app/base/nearest.hpp"
#include "app/check/conflict_check.hpp"
#include "app/check/pool_check.hpp"
#include "app/check/query_sql.hpp"
#include "app/check/sql_syntax.hpp"
#include "app/check/sqlite_syntax.hpp"
#include "app/expression/expression.hpp"
#include "app/load/load_metrics.hpp"
#include "app/scenario/reply_scope.hpp"
#include "app/show/failure_text.hpp"

#include "sheaf/backends.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <map>
#include <set>

namespace sheaf::app {

namespace {

/// Names and `-D` variables that a `${…}` may hold at a point of a scenario: captures come as it goes on.
using names = std::set<std::string, std::less<>>;

/// Requests of a scenario, with what it repeats: each leaves a line in the report.
constexpr std::size_t requests_max = 100'000;

/// The number of requests that these steps run, or one above the limit.
std::size_t requests_in(const std::vector<step_spec>& steps) {
  std::size_t n = 0;
  for (const auto& x : steps) {
    if (const auto* p = std::get_if<parallel_step>(&x.kind))
      n += requests_in(p->steps);
    else if (const auto* r = std::get_if<repeat_step>(&x.kind))
      n += std::min(r->times, requests_max + 1) * requests_in(r->steps);
    else if (const auto* c = std::get_if<compare_step>(&x.kind))
      n += (c->times + 1) * c->modes.size();
    else
      ++n;
    n = std::min(n, requests_max + 1);
  }
  return n;
}

/// The refusal that opening a session would give.
std::optional<failure> url_refusal(const std::string& url) {
  const auto kind = backend_for(url);
  return kind ? (*kind)->check(url) : std::optional{kind.error()};
}

class checker {
public:
  checker(const sheaf_file& file, const variables& given) : file_(file) {
    for (const auto& [name, value] : given)
      known_.insert(name);
    for (const auto& r : file.requests)
      requests_.emplace(r.name, &r);
  }

  std::vector<finding> run() && {
    for (std::size_t i = 0; i < file_.databases.size(); ++i)
      if (const auto wrong = url_refusal(file_.databases[i].url))
        error(file_.databases_at[i], fmt::format("database \"{}\": {}", file_.databases[i].name, wrong->message));
    for (const auto& r : file_.requests)
      check(r);
    for (const auto& s : file_.scenarios) {
      if (requests_.contains(s.name))
        warning(s.at,
                fmt::format("\"{}\" is a request and a scenario: sheaf run takes the scenario; rename one", s.name));
      check(s);
    }
    if (file_.requests.empty() && !file_.databases.empty())
      warning({}, "there are no requests");
    append(large_pools_in(file_));
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const finding& a, const finding& b) { return a.at < b.at; });
    return std::move(findings_);
  }

private:
  void error(location at, std::string message) {
    findings_.push_back({finding::severity::error, at, std::move(message)});
  }
  void warning(location at, std::string message) {
    findings_.push_back({finding::severity::warning, at, std::move(message)});
  }
  void append(std::vector<finding> more) {
    findings_.insert(findings_.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

  // -- databases

  const database_options* database(const std::string& name, location at) {
    if (file_.databases.empty())
      return nullptr;
    if (name.empty())
      return &file_.databases.front();
    std::vector<std::string_view> all;
    for (const auto& d : file_.databases) {
      if (d.name == name)
        return &d;
      all.push_back(d.name);
    }
    error(at, fmt::format("there is no database \"{}\"{}", name, did_you_mean(name, all)));
    return nullptr;
  }

  // -- requests

  void check(const request_spec& r) {
    std::set<std::string> used;
    auto declared = parameters_of(r);
    names known;
    for (const auto& p : r.parameters)
      known.insert(p.name);
    for (const auto& q : r.queries)
      check(q, r, declared, known, used);
    append(conflicts_in(r, file_));
    for (const auto& p : r.parameters)
      if (!used.contains(p.name))
        warning(p.at, fmt::format("no query of {} uses the parameter \"{}\"", r.name, p.name));
    if (r.settings.on_error == error_policy::first && (r.settings.first < 1 || r.settings.first > r.queries.size()))
      error(r.at, fmt::format("first is {}; set it to between 1 and the number of queries", r.settings.first));
    if (const auto wrong = check_settings(r))
      error(r.at, *wrong);
    check_stream(r);
  }

  /// Rows go out, one after the other, before the outcome of the rest is known.
  void check_stream(const request_spec& r) {
    const query_spec* streaming = nullptr;
    for (const auto& q : r.queries) {
      if (!q.stream)
        continue;
      const auto& name = q.query.name;
      if (q.for_each)
        error(q.at, fmt::format("query \"{}\" has both stream and for_each: only one result can be streamed", name));
      else if (streaming)
        error(q.at, fmt::format("queries \"{}\" and \"{}\" both stream: only one of a request can",
                                streaming->query.name, name));
      else if (r.settings.on_error == error_policy::first)
        error(q.at, fmt::format("query \"{}\" streams, but under on_error: first its rows may not count", name));
      streaming = &q;
    }
  }

  static std::optional<std::string> check_settings(const request_spec& r) {
    auto alone = r.settings;
    alone.on_error = error_policy::fail;
    alone.queries.emplace_back("q", "select 1");
    const auto wrong = validate(alone);
    return wrong ? std::optional{wrong->message} : std::nullopt;
  }

  void check(const query_spec& q, const request_spec& r, parameters& declared, const names& known,
             std::set<std::string>& used) {
    const auto* d = database(q.query.database, q.at);
    if (!d || q.query.statement.sql().empty())
      return;
    const auto text = parsed_for(dialect_of(*d), declared, q);
    for (const auto& name : text->names) {
      if (known.contains(name) || (q.for_each && q.for_each->first == name))
        used.insert(name);
      else
        error(q.sql_at, fmt::format("query \"{}\": {} declares no parameter :{}{}", q.query.name, r.name, name,
                                    nearest_parameter(name, r)));
    }
    if (q.query.statement.sql().starts_with("\xef\xbb\xbf")) {
      error(q.sql_at, fmt::format("query \"{}\" begins with a byte order mark (U+FEFF), which nobody sees: remove it",
                                  q.query.name));
      return;
    }
    if (text->empty)
      error(q.sql_at, fmt::format("query \"{}\" is an empty statement", q.query.name));
    if (q.query.read_only && text->effects.effect == effect::writes)
      error(q.sql_at, fmt::format("query \"{}\" is declared read_only, but its statement is no query", q.query.name));
    if (!text->empty)
      check_syntax(*text, q, dialect_of(*d));
    check_for_each(q, r, *text, used);
  }

  void check_for_each(const query_spec& q, const request_spec& r, const parsed_statement& text,
                      std::set<std::string>& used) {
    if (!q.for_each)
      return;
    const auto& [one, list] = *q.for_each;
    if (std::find(text.names.begin(), text.names.end(), one) == text.names.end())
      error(q.sql_at,
            fmt::format("query \"{}\": for_each binds :{}, which its statement does not have", q.query.name, one));
    const auto p = std::find_if(r.parameters.begin(), r.parameters.end(),
                                [&, &wanted = list](const auto& x) { return x.name == wanted; });
    if (p == r.parameters.end())
      error(q.at, fmt::format("query \"{}\": for_each goes over \"{}\", which {} does not declare", q.query.name, list,
                              r.name));
    else if (!p->type.ends_with("[]"))
      error(q.at, fmt::format("query \"{}\": for_each goes over \"{}\", which is {} and no list", q.query.name, list,
                              p->type));
    used.insert(list);
  }

  /// The database's own parser.
  void check_syntax(const parsed_statement& text, const query_spec& q, dialect d) {
    const auto refuse = [&](std::string_view why, std::size_t at) {
      findings_.push_back(finding_in_sql(q, finding::severity::error, why, text.position_in_source(at)));
    };
    if (d == dialect::sqlite) {
      if (const auto x = sqlite_refusal_of(text.text))
        refuse(x->message, x->position);
      return;
    }
    const auto x = syntax_of(text.text);
    if (x.refusal)
      refuse(*x.refusal, x.position);
    if (x.unread)
      warning(q.sql_at, fmt::format("query \"{}\": it is too large to be parsed before it is run", q.query.name));
  }

  // -- scenarios

  void check(const scenario_spec& s) {
    for (const auto* steps : {&s.setup, &s.teardown})
      for (const auto& x : *steps)
        database(x.database, x.at);
    auto captured = known_;
    check(s.steps, captured);
    // Each client has its own captures: in the end there is no one value of them.
    check(s.thresholds, known_, {[&](std::string_view path) { return check_metric(file_, path); }, example_of_metric});
    if (!s.thresholds.empty() && std::none_of(s.thresholds.begin(), s.thresholds.end(),
                                              [](const auto& x) { return bounds_errors(x.first.text); }))
      warning(s.thresholds.front().first.at,
              fmt::format("the thresholds of \"{}\" say nothing of errors, so that a load may fail and hold them: add "
                          "errors: \"< 1%\"",
                          s.name));
    if (s.load_at && has_comparison(s.steps))
      error(*s.load_at, fmt::format("scenario \"{}\" has a comparison, which is no load", s.name));
    if (requests_in(s.steps) > requests_max)
      error(s.at, fmt::format("scenario \"{}\" would run more than {} requests", s.name, requests_max));
  }

  void check(const std::vector<step_spec>& steps, names& captured) {
    for (const auto& x : steps) {
      if (const auto* r = std::get_if<request_step>(&x.kind))
        check(*r, x.at, captured);
      else if (const auto* p = std::get_if<parallel_step>(&x.kind))
        check(p->steps, captured);
      else if (const auto* c = std::get_if<compare_step>(&x.kind))
        check(*c, x.at, captured);
      else
        check(std::get<repeat_step>(x.kind).steps, captured);
    }
  }

  static std::string nearest_parameter(std::string_view name, const request_spec& of) {
    std::vector<std::string_view> all;
    for (const auto& p : of.parameters)
      all.push_back(p.name);
    return did_you_mean(name, all);
  }

  const request_spec* request(const request_step& x, location at) {
    if (const auto found = requests_.find(x.request); found != requests_.end())
      return found->second;
    std::vector<std::string_view> all;
    for (const auto& y : file_.requests)
      all.push_back(y.name);
    if (!x.request.empty())
      error(at, fmt::format("there is no request \"{}\"{}", x.request, did_you_mean(x.request, all)));
    return nullptr;
  }

  void check(const request_step& x, location at, names& captured) {
    const auto* r = request(x, at);
    if (!r)
      return;
    check_values(x, *r, at, captured);
    check(x.expect, captured, {[&](std::string_view path) { return check_field(*r, path); }, example_of_field});
    for (const auto& [name, path] : x.capture) {
      if (const auto wrong = check_field(*r, path.text))
        error(path.at, *wrong);
      captured.insert(name.text);
    }
  }

  void check_values(const request_step& x, const request_spec& r, location at, const names& captured) {
    for (const auto& [name, value] : x.with) {
      const auto p = std::find_if(r.parameters.begin(), r.parameters.end(),
                                  [&, &wanted = name](const auto& y) { return y.name == wanted; });
      if (p == r.parameters.end()) {
        error(value.at, fmt::format("{} declares no parameter \"{}\"{}", r.name, name, nearest_parameter(name, r)));
        continue;
      }
      check_holes(value, captured);
      if (value.has_holes())
        continue;
      const auto made = value.fill(
          p->type, [](const template_text::hole&) { return result<std::optional<std::string>>{std::nullopt}; });
      if (made.has_error())
        error(value.at, fmt::format("\"{}\": {}", name, made.error().message));
    }
    for (const auto& p : r.parameters)
      if (!p.default_value &&
          std::none_of(x.with.begin(), x.with.end(), [&](const auto& y) { return y.first == p.name; }))
        error(at, fmt::format("{} needs a value for \"{}\": add it to with", r.name, p.name));
  }

  void check_holes(const value_spec& value, const names& captured) {
    for (const auto& text : value.texts)
      for (const auto& hole : text ? text->holes() : std::vector<template_text::hole>{}) {
        const auto read = expression::parse(hole.inner);
        if (read.has_error()) {
          error(value.at, fmt::format("${{{}}}: {}", hole.inner, read.error().message));
          continue;
        }
        for (const auto& name : read->names())
          if (!captured.contains(name.path) && !hole.has_default && !std::getenv(name.path.c_str()))
            error(value.at,
                  fmt::format("nothing is called \"{}\" here: capture it before, give -D {}=VALUE, or set it in "
                              "the environment",
                              name.path, name.path));
      }
  }

  void check(const compare_step& x, location at, const names& captured) {
    if (const auto* r = request(x.request, at))
      check_values(x.request, *r, at, captured);
    std::vector<std::string_view> modes;
    for (const auto mode : x.modes)
      modes.push_back(to_string(mode));
    if (modes.size() == std::size(session_modes))
      modes.emplace_back("speed_up");
    const auto wrong_with = [&](std::string_view name) -> std::optional<std::string> {
      if (std::find(modes.begin(), modes.end(), name) != modes.end())
        return {};
      return fmt::format("the comparison has no \"{}\"; it has {}", name, fmt::join(modes, " and "));
    };
    check(x.request.expect, captured, {wrong_with, [](std::string_view name) {
                                         return name == "speed_up" ? operand{std::int64_t{1}}
                                                                   : operand{std::chrono::nanoseconds{1}};
                                       }});
  }

  /// The paths that expectations may name: what is wrong with one, if anything, and a value of its kind.
  struct paths {
    std::function<std::optional<std::string>(std::string_view)> wrong_with;
    expression::examples example_of;
  };

  void check(const std::vector<expectation_spec>& expectations, const names& captured, const paths& known) {
    for (const auto& [path, text] : expectations) {
      if (const auto wrong = known.wrong_with(path.text))
        error(path.at, *wrong);
      const auto read = expression::parse_expectation(text.text);
      if (read.has_error()) {
        error(text.at,
              fmt::format("\"{}\": {} (character {})", text.text, read.error().message, read.error().position));
        continue;
      }
      for (const auto& name : read->names())
        if (name.path != "it" && !captured.contains(name.path))
          if (const auto wrong = known.wrong_with(name.path))
            error(text.at, *wrong);
      check_kinds(path.text, *read, text, captured, known);
    }
  }

  void check_kinds(std::string_view path, const expression& read, const placed_text& text, const names& captured,
                   const paths& known) {
    const auto it = known.example_of(path);
    const auto wrong = read.check([&](std::string_view name) -> std::optional<operand> {
      if (name != "it" && captured.contains(name))
        return std::nullopt;
      return known.example_of(name == "it" ? path : name);
    });
    if (wrong)
      error(text.at, fmt::format("{}: \"{}\": {} (character {})", path, text.text, wrong->message, wrong->position));
    else if (read.is_value() && it && std::holds_alternative<std::chrono::nanoseconds>(*it))
      error(text.at, fmt::format("{}: a time is never exactly {}; write \"< {}\"", path, text.text, text.text));
    else if (read.is_value() && is_rate(path))
      error(text.at, fmt::format("{}: a rate is never exactly {}; write \"> {}\"", path, text.text, text.text));
  }

  const sheaf_file& file_;
  std::map<std::string_view, const request_spec*> requests_; ///< By name.
  names known_;
  std::vector<finding> findings_;
};

} // namespace

std::vector<finding> check_file(const sheaf_file& file, const variables& given) { return checker{file, given}.run(); }

} // namespace sheaf::app
