#include "tools/demo_live.h"
namespace estab::tools {
ExitCode demo_live(const DemoView&, const SceneOptions&) { return ExitCode::ok; }
}
