package android.util;

import phone.Phone;

public final class Log {
    public static int w(String tag, String message) {
        Phone.log(tag + ": " + message);
        return 0;
    }
}
