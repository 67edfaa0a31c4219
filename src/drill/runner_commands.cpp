// Commands to the shell, and code: neither is run; what they mean is done.
#include <fmt/format.h>

#include "drill/assertion.h"
#include "drill/refusal.h"
#include "drill/runner.h"
#include "drill/settings.h"
#include "drill/shell.h"
#include "drill/tcp_info_fields.h"

namespace estab::drill {

void Runner::run_command(const std::string& text) {
  for (const ShellStep& step : read_shell(text)) {
    switch (step.kind) {
      case ShellStep::Kind::setting:
        apply(step.name, step.value);
        break;
      case ShellStep::Kind::sleep:
        world().pass_until(world().now() + step.time);
        break;
      case ShellStep::Kind::profile:
      case ShellStep::Kind::nothing:
        break;
      case ShellStep::Kind::socket_table: {
        const Answer answer = ask_table(step.text, world().sockets().table());
        if (answer == Answer::unknown) note("not understood: " + step.text);
        if (answer == Answer::no)
          throw Mismatch{"the command would fail on the socket table", step.text,
                         world().sockets().table()};
        break;
      }
      case ShellStep::Kind::unknown:
        note("not run: " + step.text);
        break;
    }
  }
}

void Runner::apply(const std::string& name, const std::string& value) {
  StackConfig changed = config_.stack;
  const Applied applied = apply_setting(changed, name, value);
  if (applied == Applied::unknown)
    note(fmt::format("{} is not a setting that is known here", name));
  if (applied == Applied::refused)
    note(fmt::format("{}={} is not something the stack can be made to do", name, value));
  if (applied != Applied::yes || changed == config_.stack) return;
  StackConfig only_tcp = changed;
  only_tcp.tcp = config_.stack.tcp;
  const bool of_sockets = only_tcp == config_.stack;
  config_.stack = changed;
  if (!world_) return;
  if (of_sockets)
    world_->sockets().set_defaults(changed.tcp);
  else
    note(fmt::format("{}={} comes after the stack was set up, and changes nothing", name, value));
}

void Runner::run_code(const std::string& text) {
  TestSocket* socket = connections_.under_test();
  if (socket == nullptr || socket->descriptor < 0)
    mistake("code looks at the TCP_INFO of a socket, and there is none");
  const TcpInfoFields fields(world().sockets(), world().now(), socket->descriptor);
  const Assertion result = evaluate(text, [&](std::string_view name) { return fields.find(name); });
  if (result.outcome == Assertion::Outcome::failed)
    throw Mismatch{"an assertion does not hold", result.text, result.values};
  if (result.outcome == Assertion::Outcome::unsupported)
    refuse("code is not understood: " + result.text);
}

}  // namespace estab::drill
