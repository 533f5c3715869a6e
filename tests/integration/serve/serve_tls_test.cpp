// SPDX-License-Identifier: BSD-3-Clause
//
// `sheaf serve` with TLS: all versions that it speaks, requests and answers beyond one record, and clients that stall
// or go.

#include "integration/serve/serve_test.hpp"

namespace {

using namespace sheaf::test;
using testing::HasSubstr;
using testing::StartsWith;

namespace json = boost::json;

constexpr const char* tls_file = R"yaml(
  one: {queries: {n: select 1}}
  echo: {parameters: {word: {type: text}}, queries: {back: "select :word"}}
  length: {parameters: {text: {type: text}}, queries: {n: "select length(:text)"}}
  many: {queries: {n: "with recursive c(i) as (select 1 union all select i + 1 from c where i < 50000) select i from c"}}
  large: {queries: {rows: "with recursive c(i) as (select 1 union all select i + 1 from c where i < 20000)
                           select i, printf('%0500d', i) from c"}}
)yaml";

class ServeTls : public ServeTest {
protected:
  cli::words with_tls(cli::words more = {}) const {
    make_certificate();
    more.insert(more.end(), {"--tls-cert", path_of("cert.pem"), "--tls-key", path_of("key.pem")});
    return more;
  }

  cli::finished curl(const std::string& target, cli::words more = {}) const {
    more.insert(more.begin(), {"curl", "--silent", "--show-error", "--cacert", path_of("cert.pem"),
                               "https://localhost:" + std::to_string(port) + target});
    return cli::run(more);
  }

  /// Sends a file as it is, and then reads on, as fast as it is read itself.
  cli::words sender(const std::string& file) const {
    return {"sh", "-c",
            "exec openssl s_client -quiet -verify_quiet -CAfile cert.pem -connect localhost:" + std::to_string(port) +
                " < " + file};
  }
};

TEST_F(ServeTls, SpeaksVersions12And13) {
  serve_sqlite(tls_file, with_tls());
  for (const auto* version : {"1.2", "1.3"}) {
    const cli::words only{"--tlsv" + std::string{version}, "--tls-max", version};
    const auto url = "https://localhost:" + std::to_string(port) + "/requests/one?shape=scalar";
    auto twice = only;
    twice.push_back(url);
    const auto both = curl("/requests/one?shape=scalar", twice);
    EXPECT_EQ(both.exit_code, 0) << both.err;
    EXPECT_THAT(both.out, StartsWith("{\"results\":{\"n\":1}"));
    const auto many = json::parse(curl("/requests/many", only).out);
    EXPECT_EQ(many.at("results").at("n").at("rows").as_array().size(), 50000);
  }
  EXPECT_NE(curl("/healthz", {"--tls-max", "1.1"}).exit_code, 0) << "old versions are refused";
  http_client plain{port};
  plain.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(plain.receive().status, 0);
}

TEST_F(ServeTls, HasKeysThatNobodyFindsOutLater) {
  const auto made = cli::run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
                              "/CN=localhost", "-keyout", path_of("key.pem"), "-out", path_of("cert.pem")});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  serve_sqlite(tls_file, {"--tls-cert", path_of("cert.pem"), "--tls-key", path_of("key.pem")});
  const auto with = [&](const char* cipher) {
    return curl("/healthz", {"--tls-max", "1.2", "--ciphers", cipher}).exit_code == 0;
  };
  EXPECT_TRUE(with("ECDHE-RSA-AES128-GCM-SHA256"));
  EXPECT_TRUE(with("ECDHE-RSA-CHACHA20-POLY1305"));
  for (const auto* weak : {"AES128-GCM-SHA256", "AES256-SHA256", "AES128-SHA", "ECDHE-RSA-AES128-SHA256"})
    EXPECT_FALSE(with(weak)) << weak;
}

TEST_F(ServeTls, KeepsItsConnectionsWhileTheFileIsReadAgain) {
  serve_sqlite(tls_file, with_tls());
  // The second URL is asked for on the connection of the first, once the pipe has been read to its end.
  write("twice", "GET /requests/echo?word=before HTTP/1.1\r\nHost: localhost\r\n\r\n");
  cli::child asks{
      {"sh", "-c",
       "(cat " + path_of("twice").string() + "; while [ ! -e " + path_of("go").string() +
           " ]; do sleep 0.1; done; printf 'GET /requests/new HTTP/1.1\\r\\nHost: localhost\\r\\n"
           "Connection: close\\r\\n\\r\\n'; cat) | openssl s_client -quiet -verify_quiet -ign_eof -CAfile " +
           path_of("cert.pem").string() + " -connect localhost:" + std::to_string(port) + " 2>&1"}};
  asks.read_until("before");
  write("sheaf.yaml", "databases: {main: {url: \"sqlite:books.db?mode=rwc\", pool: {max_size: 4}}}\nrequests: {new: "
                      "{queries: {n: select 12345}}}\n");
  service->send(SIGHUP);
  EXPECT_THAT(service->error_line_with("SIGHUP: "), HasSubstr("is read again"));
  write("go", "");
  asks.read_until("12345");
}

TEST_F(ServeTls, TakesABodyOfManyRecords) {
  serve_sqlite(tls_file, with_tls());
  write("body", "{\"text\": \"" + std::string(1'000'000, 'x') + "\"}");
  const auto said = curl("/requests/length?shape=scalar",
                         {"--header", "Content-Type: application/json", "--data", "@" + path_of("body").string()});
  EXPECT_THAT(said.out, StartsWith("{\"results\":{\"n\":1000000}")) << said.err;
}

TEST_F(ServeTls, AnswersRequestsThatComeInOneRecord) {
  serve_sqlite(tls_file, with_tls());
  const std::string fields = " HTTP/1.1\r\nHost: localhost\r\nX-Padding: " + std::string(1000, 'x') + "\r\n";
  std::string all;
  for (int i = 0; i < 6; ++i)
    all += "GET /requests/echo?shape=scalar&word=word" + std::to_string(i) + fields + "\r\n";
  write("all", all + "GET /healthz" + fields + "Connection: close\r\n\r\n");
  const auto said = cli::run(sender("all"), {.directory = folder.path()});
  std::size_t at = 0;
  for (int i = 0; i < 6; ++i) {
    at = said.out.find("{\"results\":{\"back\":\"word" + std::to_string(i), at);
    ASSERT_NE(at, said.out.npos) << i << said.out << said.err;
  }
  EXPECT_TRUE(said.out.ends_with("\r\n\r\nok\n"));
}

// -- clients that stall

TEST_F(ServeTls, IsLeftWhereItsHandshakeTakesTooLong) {
  serve_sqlite(tls_file, with_tls({"--header-timeout", "300ms"}));
  http_client silent{port}, half{port};
  half.send(std::string{"\x16\x03\x01\x02\x00\x01\x00\x01", 8});
  EXPECT_EQ(silent.rest(), "");
  EXPECT_EQ(half.rest(), "");
  EXPECT_EQ(curl("/healthz").out, "ok\n");
}

TEST_F(ServeTls, IsLeftWhereItAsksNothingOrHalfARequest) {
  serve_sqlite(tls_file, with_tls({"--idle-timeout", "300ms", "--header-timeout", "300ms"}));
  write("nothing", "");
  write("half", "GET /healthz HTTP/1.1\r\nHo");
  EXPECT_EQ(cli::run(sender("nothing"), {.directory = folder.path()}).out, "");
  EXPECT_THAT(cli::run(sender("half"), {.directory = folder.path()}).out, StartsWith("HTTP/1.1 408 "));
}

TEST_F(ServeTls, IsLeftWhereItDoesNotReadItsAnswer) {
  serve_sqlite(tls_file, with_tls({"--write-timeout", "300ms"}));
  write("large", "GET /requests/large HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: slow\r\n\r\n");
  const cli::child slow{sender("large"), {.directory = folder.path()}}; // whose pipe nobody reads
  EXPECT_TRUE(
      eventually([&] { return curl("/metrics").out.find("http_response_status_code=\"499\"") != std::string::npos; }));
  EXPECT_EQ(logged(end().err, "slow").at("status").as_int64(), 499);
}

TEST_F(ServeTls, IsMissedWhereItGoesAndItsQueriesAreCancelled) {
  postgresql_schema schema;
  serve_postgresql(schema, "  slow: {deadline: 100s, queries: {a: select pg_sleep(90)}}\n", with_tls());
  write("slow", "GET /requests/slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  {
    const cli::child gone{sender("slow"), {.directory = folder.path()}};
    ASSERT_TRUE(eventually([&] { return schema.running() == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return schema.running() == 0; }));
  EXPECT_EQ(curl("/healthz").out, "ok\n");
  EXPECT_THAT(end().err, HasSubstr("\"status\":499"));
}

} // namespace
