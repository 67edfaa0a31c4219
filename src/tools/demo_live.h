// `estab demo` without a case: the stack of this program against the kernel of this machine, over
// a TUN device in a network namespace made for it.
#pragma once

#include "tools/demo_print.h"
#include "tools/demo_scene.h"

namespace estab::tools {

ExitCode demo_live(const DemoView& view, const SceneOptions& options);

}  // namespace estab::tools
