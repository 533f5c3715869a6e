// SPDX-License-Identifier: BSD-3-Clause
//
// The base of the tests of `sheaf serve`: the program as a child, serving a file or the demo on a port of its own.

#pragma once

#include "integration/program/cli_process.hpp"

#include "app/base/temporary_directory.hpp"
#include "support/counting.hpp"
#include "support/http_client.hpp"
#include "support/postgresql_server.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <memory>
#include <string>

namespace sheaf::test {

class ServeTest : public testing::Test {
protected:
  /// Whatever a test has done to it, it ends well, and leaves no memory behind (under LeakSanitizer).
  void TearDown() override {
    if (service && service->id() > 0) {
      const auto ended = end();
      EXPECT_EQ(ended.exit_code, 0) << ended.err;
    }
  }

  std::filesystem::path path_of(const std::string& name) const { return std::filesystem::path{folder.path()} / name; }

  void write(const std::string& name, std::string_view text) const { std::ofstream{path_of(name)} << text; }

  /// Serves `yaml`; nothing of it is checked here.
  void serve(std::string_view yaml, const cli::words& more = {}, const cli::setting& how = {}) {
    write("sheaf.yaml", yaml);
    cli::words words{"serve", path_of("sheaf.yaml")};
    words.insert(words.end(), more.begin(), more.end());
    start(std::move(words), how);
  }

  /// A file on SQLite, with these requests (indented by two).
  void serve_sqlite(std::string_view requests, const cli::words& more = {}) {
    serve("databases: {main: {url: \"sqlite:books.db?mode=rwc\", pool: {max_size: 4}}}\nrequests:\n" +
              std::string{requests},
          more);
  }

  /// The same on PostgreSQL.
  void serve_postgresql(const postgresql_schema& schema, std::string_view requests, const cli::words& more = {},
                        std::string_view pool = "max_size: 4") {
    serve("databases: {main: {url: \"" + schema.url() + "\", pool: {" + std::string{pool} + "}}}\nrequests:\n" +
              std::string{requests},
          more);
  }

  void start(cli::words words, const cli::setting& how = {}) {
    words.insert(words.begin(), cli::program());
    words.insert(words.end(), {"--listen", "127.0.0.1:0"});
    service = std::make_unique<cli::child>(words, how);
    const auto& said = service->read_until("\n");
    port = std::stoi(said.substr(said.rfind(':') + 1));
  }

  /// `key.pem` and `cert.pem`, for `localhost`.
  void make_certificate() const {
    const auto made =
        cli::run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                  "-days", "1", "-subj", "/CN=localhost", "-keyout", path_of("key.pem"), "-out", path_of("cert.pem")});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }

  /// A line of /proc/…/status: `VmRSS`, the memory that the service has now, or `VmHWM`, the most that it has had.
  std::size_t memory(const std::string& name) const {
    const auto status = cli::text_of(fmt::format("/proc/{}/status", service->id()));
    return std::stoul(status.substr(status.find(name + ':') + name.size() + 1)) * 1024;
  }

  /// Ends it, and gives what it has said.
  cli::finished end(int signal = SIGTERM) const {
    service->send(signal);
    return service->finish();
  }

  http_answer get(std::string_view target, std::string_view more_fields = {}) const {
    return http_client{port}.get(target, more_fields);
  }
  http_answer post(std::string_view target, std::string_view json, std::string_view more_fields = {}) const {
    return http_client{port}.post(target, json, more_fields);
  }

  app::temporary_directory folder;
  std::unique_ptr<cli::child> service;
  int port = 0;
};

/// The line of the access log for the request of this id.
inline boost::json::object logged(const std::string& err, std::string_view id) {
  for (const auto& line : cli::lines_of(err)) {
    if (!line.starts_with('{'))
      continue; // a line of `sheaf check` on the file
    const auto x = boost::json::parse(line).as_object();
    if (const auto* found = x.if_contains("request_id"); found && found->as_string() == id)
      return x;
  }
  return {};
}

} // namespace sheaf::test
