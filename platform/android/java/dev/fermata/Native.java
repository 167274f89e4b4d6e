package dev.fermata;

/** The way to the keeper, which is C++ (platform/android/jni). From any thread; never blocks. */
final class Native {
    // As in fermata/platform.hpp.
    static final int FOREGROUND = 0, INACTIVE = 1, BACKGROUND = 2;
    static final int HELD = 0, REFUSED = 1, INTERRUPTED = 2, INTERRUPTION_ENDED = 3, EXPIRED = 4, LOST = 5, UNSUPPORTED = 6;
    /** For a time that is not known. */
    static final long UNKNOWN = -1;

    static {
        System.loadLibrary("fermata_jni");
    }

    private Native() {}

    static native void appState(int state, long timeLeftMs);

    /** About the one strategy here, the foreground service. */
    static native void strategy(int event, long timeLeftMs);

    /** batteryPercent: below 0 on mains, or where it is not known. */
    static native void conditions(boolean lowPower, int batteryPercent, boolean metered, boolean protectedDataAvailable);

    /** mode: as in fermata/background_sync.hpp. */
    static native void start(int mode);

    static native void stop();

    static native boolean isOn();

    static native boolean isSyncing();

    static native boolean isHolding();

    static native String reason();
}
