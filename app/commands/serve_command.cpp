// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf serve`: the requests of a sheaf file as an HTTP service. Main thread: it waits for signals.

#include "app/base/duration.hpp"
#include "app/base/exit.hpp"
#include "app/base/text_file.hpp"
#include "app/commands/command.hpp"
#include "app/commands/demo_file.hpp"
#include "app/commands/file_arguments.hpp"
#include "app/file/file_reader.hpp"
#include "app/scenario/runner.hpp"
#include "app/serve/generation.hpp"
#include "app/serve/listening_socket.hpp"
#include "app/serve/stderr_writer.hpp"
#include "app/serve/target.hpp"

#include "sheaf/clock.hpp"

#include <CLI/Validators.hpp>
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

namespace sheaf::app {

namespace {

/// Free bytes that may stay at the end of a thread's heap. `malloc_trim` looks at the end of the main heap alone, and
/// glibc 2.36 leaves ever more there, up to 64 MiB, once large pieces were freed.
constexpr int heap_end_max = 4 << 20;

using namespace serve;

struct serve_arguments {
  std::string file, listen = "127.0.0.1:8080", token_file, drain = "10s";
  std::string header_timeout = "10s", body_timeout = "30s", idle_timeout = "75s", write_timeout = "30s";
  std::vector<std::string> defines, hosts;
  std::uint64_t rows = 1'000'000;
  bool insecure = false, no_access_log = false, hide_sql = false;
  serve_setup setup;
};

/// Every connection is a descriptor: takes as many as the system gives.
void raise_descriptor_limit() {
  rlimit now{};
  if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur < now.rlim_max) {
    now.rlim_cur = now.rlim_max;
    setrlimit(RLIMIT_NOFILE, &now);
  }
}

std::string read_token(const std::string& file) {
  constexpr std::size_t bytes_min = 16;
  const char* given = std::getenv("SHEAF_TOKEN");
  std::string token = given ? given : "";
  if (!file.empty())
    token = value_or_throw(read_text_file(file, 1), fmt::format("--token-file: {}: ", file));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r'))
    token.pop_back();
  const bool is_printable = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if ((!token.empty() || !file.empty()) && (token.size() < bytes_min || !is_printable))
    bad_input(fmt::format("the token has at least {} printable characters, and no blanks", bytes_min));
  return token;
}

/// Refuses to be reached by others without protection.
void check_safety(const serve_arguments& how, const boost::asio::ip::address& address) {
  if (how.setup.tls_cert.empty() != how.setup.tls_key.empty())
    bad_input("--tls-cert and --tls-key go together");
  if (!address.is_loopback() && !how.insecure && (how.setup.rules.token.empty() || how.setup.tls_cert.empty()))
    bad_input("--listen: other machines could reach it: that takes a token (--token-file, or SHEAF_TOKEN) and TLS "
              "(--tls-cert, --tls-key), or --insecure");
}

/// An origin as a browser sends it (RFC 6454, section 6.2): `https://shop.example`, with a port if it is not the usual.
bool is_origin(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (text.starts_with(scheme)) {
      const auto authority = text.substr(scheme.size());
      return !authority.empty() && is_authority(authority) &&
             std::none_of(authority.begin(), authority.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    }
  return false;
}

void complete_setup(serve_arguments& how, const boost::asio::ip::address& address) {
  auto& setup = how.setup;
  auto& rules = setup.rules;
  const auto duration = [](const std::string& text, const char* option) {
    return value_or_throw(parse_duration(text), std::string{option} + ": ");
  };
  setup.limits.header_timeout = duration(how.header_timeout, "--header-timeout");
  setup.limits.body_timeout = duration(how.body_timeout, "--body-timeout");
  setup.limits.idle_timeout = duration(how.idle_timeout, "--idle-timeout");
  setup.limits.write_timeout = duration(how.write_timeout, "--write-timeout");
  rules.token = read_token(how.token_file);
  check_safety(how, address);
  if (!rules.cors_origin.empty() && !is_origin(rules.cors_origin))
    bad_input(fmt::format("--cors-origin: {} is no origin, such as https://shop.example: a scheme and a host in small "
                          "letters, perhaps a port, and no path",
                          rules.cors_origin));
  // A page anywhere can have its own name lead to 127.0.0.1, and then ask as if it were of here.
  rules.checks_host = !how.hosts.empty() || (address.is_loopback() && rules.token.empty());
  rules.hosts = how.hosts;
  rules.hosts.insert(rules.hosts.end(), {"localhost", "127.0.0.1", "[::1]"});
  rules.hosts.push_back(address.is_v6() ? '[' + address.to_string() + ']' : address.to_string());
  // A token, a proxy on this machine (as --allow-host has it) and a page of another site let others in.
  rules.is_private = address.is_loopback() && rules.token.empty() && how.hosts.empty() && rules.cors_origin.empty();
  rules.shows_sql = rules.is_private && !how.hide_sql;
  setup.log = make_stderr_log();
  setup.events = make_event_logger(setup.log);
  setup.events->set_level(spdlog::level::info);
  if (how.no_access_log)
    setup.log = nullptr;
}

/// The service while it runs: its present generation, and earlier ones that have not ended yet.
class server {
public:
  explicit server(const serve_arguments& how, const boost::asio::ip::tcp::endpoint& where, demo_file* demo)
    : how_(how), demo_(demo), socket_(where), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      counts_(how.setup.limits, wake_) {
    now_ = make(demo ? demo->content() : load_sheaf_file(how.file, parse_defines(how.defines)));
    way_.go_to(now_->loops());
  }
  ~server() {
    way_.go_to({}); // nobody passes a client on to loops that are gone
    now_.reset();
    before_.clear();
    close(wake_);
  }
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  boost::asio::ip::tcp::endpoint where() const { return socket_.where(); }

  /// Serves until it is told to end; then answers the running requests. A second signal does not wait.
  void run(const signal_watch& signals, std::chrono::nanoseconds drain) {
    while (!told_to_end(signals)) {
    }
    socket_.close();
    way_.go_to({});
    const auto deadline = clock::now() + drain;
    now_->stop(deadline);
    for (const auto& x : before_)
      x->stop(deadline);
    while (!is_over())
      if (told_to_end(signals))
        return;
  }

private:
  std::unique_ptr<generation> make(sheaf_file file) {
    return std::make_unique<generation>(how_.setup, std::move(file), socket_.descriptor(), way_, counts_, seen_, wake_);
  }

  bool is_over() const {
    return now_->is_over() && std::all_of(before_.begin(), before_.end(), [](const auto& x) { return x->is_over(); });
  }

  /// Waits for a signal, or for a generation that is over. True for a signal to end.
  bool told_to_end(const signal_watch& signals) {
    try {
      const bool is_told = signals.wait_for(wake_, give_back_at_);
      std::uint64_t ignored = 0;
      [[maybe_unused]] const auto taken = read(wake_, &ignored, sizeof ignored);
      if (!is_told) {
        malloc_trim(0);
        give_back_at_ = clock::time_point::max();
      }
      if (counts_.has_memory_to_give_back() && give_back_at_ == clock::time_point::max())
        give_back_at_ = clock::now() + std::chrono::seconds{1}; // the answer's rows are free by then; it takes a while
      std::erase_if(before_, [](const auto& x) { return x->is_over(); });
      return false;
    } catch (const interrupted& by) {
      if (by.signal == SIGHUP && socket_.descriptor() >= 0)
        reload();
      return by.signal != SIGHUP;
    }
  }

  /// All or nothing: when the file, the certificate or a limit is not good, what is served stays.
  void reload() {
    auto& log = *how_.setup.events;
    if (demo_) {
      log.info("SIGHUP: there is no file to read again");
      return;
    }
    try {
      const auto given = parse_defines(how_.defines);
      auto read = read_sheaf_file(how_.file, given);
      const auto findings = findings_in(read, given);
      for (const auto& x : findings)
        log.warn(to_text(x, how_.file));
      if (has_errors(findings))
        throw command_error{exit_bad_input, fmt::format("{} has errors", how_.file)};
      auto next = make(std::move(read.file));
      way_.go_to(next->loops());
      now_->retire(); // its requests have deadlines of their own
      before_.push_back(std::exchange(now_, std::move(next)));
      log.info(fmt::format("SIGHUP: {} is read again", how_.file));
    } catch (const std::exception& why) {
      log.error(fmt::format("SIGHUP: {}; what was served before is kept", why.what()));
    }
  }

  const serve_arguments& how_;
  demo_file* const demo_;
  listening_socket socket_;
  const int wake_;
  clock::time_point give_back_at_ = clock::time_point::max();
  handover way_;
  traffic counts_;
  activity seen_;
  std::unique_ptr<generation> now_;
  std::vector<std::unique_ptr<generation>> before_;
};

int run_serve(serve_arguments how) {
  const signal_watch signals; // First: the threads to come inherit it.
  const unwaiting_stderr libraries;
  const auto where = parse_endpoint(how.listen);
  complete_setup(how, where.address());
  const auto drain = value_or_throw(parse_duration(how.drain), "--drain: ");
  raise_descriptor_limit();
  mallopt(M_TRIM_THRESHOLD, heap_end_max);
  std::optional<demo_file> demo;
  if (how.file.empty()) {
    fmt::print(stderr, "sheaf: makes a table of {} books for the demo\n", how.rows);
    demo.emplace(how.rows, signals);
    how.setup.shortcuts = demo_file::shortcuts();
  }
  server service{how, where, demo ? &*demo : nullptr};
  const auto at = service.where();
  const auto host = at.address().is_v6() ? '[' + at.address().to_string() + ']' : at.address().to_string();
  fmt::print("sheaf: listening on {}://{}:{}\n", how.setup.tls_cert.empty() ? "http" : "https", host, at.port());
  std::fflush(stdout);
  service.run(signals, drain);
  return exit_all_held;
}

constexpr const char* serve_help =
    R"(Without FILE it serves the demo: a table of books in an embedded database, GET /total_books, and GET /multiple_counts,
which counts three times on a session each, or with ?session=shared on one session for all.

Examples:
  sheaf serve
  sheaf serve sheaf.yaml --listen 127.0.0.1:8080
  curl 'http://127.0.0.1:8080/requests/dashboard?author=Ada'
  curl -H 'Content-Type: application/json' -d '{"author": "Ada"}' http://127.0.0.1:8080/requests/dashboard
  sheaf serve sheaf.yaml --listen 0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem --token-file token

SIGTERM and SIGINT end it, once running requests are answered; SIGHUP reads the file, the certificate and the key again.

Exit codes:
  0 ended by a signal; 1 bad input; 2 a failure at run time
)";

void add_limits(CLI::App& command, serve_arguments& how) {
  auto& limits = how.setup.limits;
  const auto count = [&](const char* name, std::size_t& to, const char* about, std::size_t least = 1) {
    command.add_option(name, to, about)
        ->check(CLI::Range(least, std::size_t{1} << 40).description(""))
        ->capture_default_str()
        ->group("Limits");
  };
  const auto time = [&](const char* name, std::string& to, const char* about) {
    command.add_option(name, to, about)->type_name("TIME")->capture_default_str()->group("Limits");
  };
  count("--max-header-bytes", limits.header_bytes_max, "Bytes of a request's first line and fields", 256);
  count("--max-body-bytes", limits.body_bytes_max, "Bytes of a request's body");
  count("--max-response-bytes", limits.response_bytes_max, "Bytes of the results in one answer");
  count("--max-unread-bytes", limits.unread_bytes_max,
        "Bytes of the values in all answers that clients have begun to read");
  count("--max-connections", limits.connections_max, "Connections at once");
  count("--max-connections-per-address", limits.connections_per_address_max,
        "Connections at once from one address; 0 for no bound of its own", 0);
  count("--max-streams", limits.streams_max,
        "Streamed results at once for each database; 0 for half of its pool's sessions", 0);
  count("--min-stream-rate", limits.stream_rate_min, "Bytes a second that the client of a streamed result has to take",
        0);
  count("--max-in-flight", limits.in_flight_max, "Requests that the databases work on at once");
  time("--header-timeout", how.header_timeout, "Time from a request's first byte to the end of its fields");
  time("--body-timeout", how.body_timeout, "Time for a request's body");
  time("--idle-timeout", how.idle_timeout, "Time between two requests of a connection");
  time("--write-timeout", how.write_timeout, "Time for a client to take 64 KiB of its answer");
}

} // namespace

void add_serve_command(CLI::App& program, chosen_command& chosen) {
  auto how = std::make_shared<serve_arguments>();
  auto* command = program.add_subcommand("serve", "Serve the requests of a sheaf file over HTTP");
  command->add_option("FILE", how->file, "A sheaf file; the demo when not given");
  add_define_option(*command, how->defines);
  command->add_option("--listen", how->listen, "Address to listen on; port 0 takes any that is free")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  command->add_option("--loops", how->setup.loops, "Event loops (threads), each with its share of the sessions")
      ->check(CLI::Range(1, 64).description(""))
      ->type_name("N");
  command->add_option("--drain", how->drain, "Time for running requests to end when the service ends")
      ->type_name("TIME")
      ->capture_default_str();
  command->add_option("--rows", how->rows, "Books in the demo")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}).description(""))
      ->capture_default_str();
  command->add_flag("--no-access-log", how->no_access_log, "Leaves requests out of the log");
  command
      ->add_option("--token-file", how->token_file,
                   "File of the token that every client has to show; else SHEAF_TOKEN, if set")
      ->type_name("FILE")
      ->group("Safety");
  command->add_option("--tls-cert", how->setup.tls_cert, "Certificate chain, PEM")->type_name("FILE")->group("Safety");
  command->add_option("--tls-key", how->setup.tls_key, "Its private key, PEM")->type_name("FILE")->group("Safety");
  command->add_flag("--insecure", how->insecure, "Lets other machines in without a token or without TLS")
      ->group("Safety");
  command->add_option("--allow-host", how->hosts, "One more name by which the service may be asked")
      ->allow_extra_args(false)
      ->type_name("NAME")
      ->group("Safety");
  command->add_flag("--hide-sql", how->hide_sql, "Keeps statements and their plans off the page")->group("Safety");
  command->add_option("--cors-origin", how->setup.rules.cors_origin, "A page of this origin may ask the service")
      ->type_name("ORIGIN")
      ->group("Safety");
  add_limits(*command, *how);
  command->footer(serve_help);
  command->callback([how, &chosen] { chosen = [how] { return run_serve(*how); }; });
}

} // namespace sheaf::app
