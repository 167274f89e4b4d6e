#import <Foundation/Foundation.h>

#include <condition_variable>
#include <fermata/background_sync.hpp>
#include <mutex>
