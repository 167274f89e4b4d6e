package dev.fermata;

/** In the keeper's place (recorder.cpp): hears what it would hear and does what it would do, on a thread of its own. */
final class Recorder {
    static native void start();

    static native void end();

    /** As the keeper's thread would; returns when it is done. */
    static native void acquire();

    static native void release();

    static native void readyToSuspend();

    /** What was heard since the last time, in words, separated by commas. */
    static native String heard();

    private Recorder() {}
}
