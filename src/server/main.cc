// perdure: the server, its offline tools, and the commands of src/cli that ask a running server.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <optional>
#include <string_view>

#include "adapters/curl/curl_client.h"
#include "adapters/system/system_clock.h"
#include "base/crash_points.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/app.h"
#include "cli/exit_status.h"
#include "cli/own_server.h"
#include "cli/private_server.h"
#include "cli/spelling.h"
#include "server/credentials.h"
#include "server/doctor.h"
#include "server/serve.h"
#include "server/toml.h"

namespace perdure::server {
namespace {

int report(const Status& status) {
  if (status) return 0;
  fmt::print(stderr, "perdure: {}\n", status.error().message);
  return cli::kRefused;
}

struct ServeFlags {
  std::string config_path = "perdure.toml";
  std::string data_dir;
  std::string listen;
  std::string until_idle;
  bool log_json = false;
  bool unsafe_no_sync = false;
};

Result<Config> config_of(const ServeFlags& flags) {
  // Before it is read: if it changes meanwhile, it is the file that looks newer, not the server.
  std::string sha256 = cli::file_sha256(flags.config_path);
  TRY_ASSIGN(Config config, read_config(flags.config_path));
  if (!flags.data_dir.empty()) config.data_dir = flags.data_dir;
  if (!flags.listen.empty()) TRY_STATUS(set_listen(config, flags.listen));
  config.unsafe_no_sync = flags.unsafe_no_sync;
  if (!flags.until_idle.empty()) {
    const auto idle_ms = parse_duration_ms(flags.until_idle);
    if (!idle_ms || *idle_ms <= 0) {
      return fail(Code::kInvalid,
                  fmt::format("--until-idle: '{}' is no time such as \"10s\"", flags.until_idle));
    }
    config.until_idle_ms = *idle_ms;
  }
  // Nobody relies on an address that is drawn anew with each start.
  const bool is_private = config.until_idle_ms > 0 && config.port == 0;
  config.running = cli::running_text({getpid(), std::move(sha256), is_private});
  return config;
}

int status_of_start(Code code) {
  if (code == Code::kConflict) return cli::kDataDirInUse;
  return code == Code::kCorrupt ? cli::kStoreFailed : cli::kRefused;
}

int run_serve(const ServeFlags& flags) {
  set_log_json(flags.log_json);
  for (bool again = true; again;) {
    auto config = config_of(flags);
    auto served = config ? serve(std::move(*config)) : tl::unexpected(config.error());
    if (!served) {
      report(tl::unexpected(served.error()));
      return status_of_start(served.error().code);
    }
    again = *served;
  }
  return 0;
}

int with_program(const std::function<int(const cli::Program&)>& does) {
  SystemClock clock;
  SystemRng rng;
  CurlClient client(clock);
  const auto check_config = [&](const std::string& path, const std::string& data_dir) -> Status {
    TRY_ASSIGN(Config config, read_config(path));
    config.data_dir = data_dir;
    TRY_ASSIGN(const auto credentials, credentials_of(config, rng));
    return check_secrets(config.secrets, credentials, {});
  };
  return does({client, clock, rng, read_toml, read_agent_toml, check_config});
}

// Nothing, when the server is to run with these flags: the tree of commands is then gone from
// memory before it does.
std::optional<int> run_command(int argc, char** argv, ServeFlags& flags) {
  CLI::App app("Perdure runs AI agents that must not lose their place.");
  app.require_subcommand(1);
  app.set_version_flag("--version", PERDURE_VERSION);

  const cli::Commands client_commands(app);

  CLI::App* serve_command = app.add_subcommand("serve", "Run the server")->group("Server");
  serve_command->add_option("--config", flags.config_path, "The operator's file")
      ->capture_default_str()
      ->type_name("FILE");
  serve_command->add_option("--data-dir", flags.data_dir, "In place of server.data_dir")
      ->type_name("DIR");
  serve_command->add_option("--listen", flags.listen, "address:port, in place of server.listen");
  serve_command->add_option("--until-idle", flags.until_idle,
                            "End when no task is open and nobody has asked for so long, e.g. 10s");
  serve_command->add_flag("--log-json", flags.log_json, "Log JSON lines");
  serve_command->add_flag("--unsafe-no-sync", flags.unsafe_no_sync,
                          "Do not wait for the disk: for measurements only, loses data");

  DoctorFlags doctor;
  CLI::App* doctor_command =
      app.add_subcommand("doctor", "Verify a closed data directory")->group("Server");
  doctor_command->add_option("DIR", doctor.dir, "The data directory")->capture_default_str();
  CLI::Option* forget = doctor_command->add_flag(
      "--forget-lost-commits", doctor.forget_lost_commits,
      "Where the newest commits are damaged: go on without what stands behind the damage");
  doctor_command
      ->add_flag("--repair", doctor.repair,
                 "Write what is damaged beside the journals anew from them")
      ->excludes(forget);
#ifdef PERDURE_TEST_HOOKS
  CLI::App* points_command =
      app.add_subcommand("crash-points", "List the crash points of this build")->group("Server");
#endif

  app.footer(std::string(cli::kExitStatusHelp));

  cli::Commands::refuse_empty(app);

  // For shells, with words that need not make a whole command.
  if (argc > 1 && std::string_view(argv[1]) == "__complete") {
    return with_program([&](const auto& program) {
      return client_commands.complete({argv + 2, argv + argc}, program);
    });
  }
  if (argc < 2) {
    fmt::print(stderr, "{}", app.help());
    return cli::kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const auto misspelt = cli::misspelt_command(app, {argv + 1, argv + argc});
    if (misspelt && error.get_exit_code() != 0) {
      fmt::print(stderr, "perdure: {}\n", *misspelt);
      return cli::kUsage;
    }
    return app.exit(error) == 0 ? 0 : cli::kUsage;
  }
  if (*serve_command) return std::nullopt;
  if (*doctor_command) return run_doctor(doctor);
  if (client_commands.is_named()) {
    return with_program([&](const auto& program) { return client_commands.run(program); });
  }
#ifdef PERDURE_TEST_HOOKS
  if (*points_command) {
    for (const std::string_view point : hooks::kCrashPoints) fmt::print("{}\n", point);
  }
#endif
  return 0;
}

}  // namespace
}  // namespace perdure::server

int main(int argc, char** argv) {
  perdure::server::ServeFlags flags;
  if (const auto status = perdure::server::run_command(argc, argv, flags)) return *status;
  return perdure::server::run_serve(flags);
}
