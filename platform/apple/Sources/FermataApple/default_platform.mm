// Apart from the shim, so that it can be built into a program that has another default.
#import "apple_platform.h"

namespace fermata {

std::unique_ptr<Platform> make_default_platform() {
  return std::make_unique<apple::ApplePlatform>(apple::declared_in_info_plist(), apple::explain_to_log());
}

}  // namespace fermata
