// SPDX-License-Identifier: BSD-3-Clause
//
// The server that SOCI's sessions begin with.

#include "sheaf/backend/postgresql/native.hpp"
#include "sheaf/backend/postgresql/stand_in_server.hpp"
#include "support/counting.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

namespace {

using namespace sheaf;
using namespace sheaf::test;

/// Variables of the environment, as long as it is there.
class environment_with {
public:
  explicit environment_with(const std::map<std::string, std::string>& variables) {
    for (const auto& [name, value] : variables) {
      const char* was = std::getenv(name.c_str());
      before_[name] = was ? std::make_unique<std::string>(was) : nullptr;
      ::setenv(name.c_str(), value.c_str(), 1);
    }
  }
  ~environment_with() {
    for (const auto& [name, value] : before_)
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }

  environment_with(const environment_with&) = delete;
  environment_with& operator=(const environment_with&) = delete;

private:
  std::map<std::string, std::unique_ptr<std::string>> before_;
};

TEST(StandInServer, AgreesToWhateverItsClientSays) {
  const auto descriptors = open_descriptors();
  {
    const stand_in_server server;
    const pgconn_ptr client{PQconnectdb(server.url().c_str())};
    ASSERT_EQ(PQstatus(client.get()), CONNECTION_OK) << PQerrorMessage(client.get());
    EXPECT_GE(PQserverVersion(client.get()), 90000);
    for (int i = 0; i < 3; ++i) {
      const pgresult_ptr said{PQexec(client.get(), ("set it to " + std::string(5000, 'x')).c_str())};
      EXPECT_EQ(PQresultStatus(said.get()), PGRES_COMMAND_OK) << PQerrorMessage(client.get());
    }
  }
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(StandInServer, IsFoundWhateverTheEnvironmentSays) {
  const environment_with variables{{{"PGHOST", "nowhere"},
                                    {"PGPORT", "1"},
                                    {"PGSSLMODE", "require"},
                                    {"PGCHANNELBINDING", "require"},
                                    {"PGREQUIREPEER", "nobody"},
                                    {"PGTARGETSESSIONATTRS", "standby"},
                                    {"PGCLIENTENCODING", "LATIN1"},
                                    {"PGOPTIONS", "-c nothing=1"}}};
  const stand_in_server server;
  const pgconn_ptr client{PQconnectdb(server.url().c_str())};
  EXPECT_EQ(PQstatus(client.get()), CONNECTION_OK) << PQerrorMessage(client.get());
}

/// Another process may find the name of an abstract socket.
TEST(StandInServer, TurnsStrangersAway) {
  const stand_in_server server;
  const auto url = server.url();
  const auto begin = url.find("host=%40") + 8;
  const auto path = url.substr(begin, url.find('&', begin) - begin) + "/.s.PGSQL.5432";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + path.size());
  const auto stranger = ::fork();
  if (stranger == 0) { // says nothing, and waits for the end
    const int end = ::socket(AF_UNIX, SOCK_STREAM, 0);
    char c = 0;
    const bool is_in = ::connect(end, reinterpret_cast<const sockaddr*>(&address), size) == 0;
    ::_exit(is_in && ::read(end, &c, 1) == 0 ? 0 : 1);
  }
  int status = 1;
  EXPECT_EQ(::waitpid(stranger, &status, 0), stranger);
  EXPECT_EQ(status, 0);
  const pgconn_ptr client{PQconnectdb(url.c_str())};
  EXPECT_EQ(PQstatus(client.get()), CONNECTION_OK) << PQerrorMessage(client.get());
}

TEST(StandInServer, GoesWithoutHavingHadAClient) {
  const auto descriptors = open_descriptors();
  { const stand_in_server server; }
  EXPECT_EQ(open_descriptors(), descriptors);
}

} // namespace
