#import "info_plist.h"

#import <Foundation/Foundation.h>

namespace fermata::apple {
namespace {

NSArray* strings_under(NSString* key) {
  const id value = [[NSBundle mainBundle] objectForInfoDictionaryKey:key];
  return [value isKindOfClass:[NSArray class]] ? (NSArray*)value : [NSArray array];
}

std::string text(NSString* string) {
  const char* const utf8 = [string UTF8String];
  return utf8 != nullptr ? utf8 : "";
}

std::string identifier_ending_in(NSString* suffix) {
  for (id each in strings_under(@"BGTaskSchedulerPermittedIdentifiers")) {
    if ([each isKindOfClass:[NSString class]] && [(NSString*)each hasSuffix:suffix]) {
      return text((NSString*)each);
    }
  }
  return {};
}

void read_text(NSString* key, std::string& into) {
  const id value = [[NSBundle mainBundle] objectForInfoDictionaryKey:key];
  if ([value isKindOfClass:[NSString class]]) {
    into = text((NSString*)value);
  }
}

}  // namespace

Declared declared_in_info_plist() {
  Declared declared;
  declared.audio = [strings_under(@"UIBackgroundModes") containsObject:@"audio"];
  declared.refresh_task = identifier_ending_in(@".fermata.refresh");
  declared.processing_task = identifier_ending_in(@".fermata.processing");
  declared.continued_task = identifier_ending_in(@".fermata.continued");
  read_text(@"FermataContinuedTaskTitle", declared.continued_title);
  read_text(@"FermataContinuedTaskSubtitle", declared.continued_subtitle);
  return declared;
}

}  // namespace fermata::apple
