package android.os;

import phone.Phone;

public final class SystemClock {
    public static long elapsedRealtime() {
        return Phone.now();
    }
}
