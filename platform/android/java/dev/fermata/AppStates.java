package dev.fermata;

import android.app.Activity;
import android.app.Application;
import android.os.Bundle;
import android.os.Handler;

/** Where the app is, from its activities. Main thread only. */
final class AppStates implements Application.ActivityLifecycleCallbacks {
    /**
     * From one activity to the next, or while one turns, nothing is resumed for a moment. Whoever takes that for leaving
     * starts a service for it.
     */
    static final long TRANSITION_MS = 700;
    /** A process whose app is not seen is frozen after that (Android 14; more before). */
    static final long GRACE_MS = 10_000;

    private final Keepalive keepalive;
    private final Handler handler = Keepalive.mainHandler();
    private final Runnable settle = this::settle;
    private int started;
    private int resumed;
    private int told = Native.BACKGROUND;

    AppStates(Keepalive keepalive) {
        this.keepalive = keepalive;
    }

    @Override
    public void onActivityStarted(Activity activity) {
        started++;
    }

    @Override
    public void onActivityResumed(Activity activity) {
        resumed++;
        handler.removeCallbacks(settle);
        tell(Native.FOREGROUND);
    }

    @Override
    public void onActivityPaused(Activity activity) {
        resumed = Math.max(resumed - 1, 0);
        settleSoon();
    }

    @Override
    public void onActivityStopped(Activity activity) {
        started = Math.max(started - 1, 0);
        settleSoon();
    }

    @Override
    public void onActivityCreated(Activity activity, Bundle state) {}

    @Override
    public void onActivitySaveInstanceState(Activity activity, Bundle state) {}

    @Override
    public void onActivityDestroyed(Activity activity) {}

    private void settleSoon() {
        handler.removeCallbacks(settle);
        handler.postDelayed(settle, TRANSITION_MS);
    }

    // Inactive comes first even if the app is gone already: the keeper acquires then, while a service may still be started.
    private void settle() {
        if (resumed > 0) {
            return;
        }
        tell(Native.INACTIVE);
        if (started == 0) {
            tell(Native.BACKGROUND);
        }
    }

    private void tell(int state) {
        if (state == told) {
            return;
        }
        // Behind a dialog of another app: what was left is left.
        if (state == Native.INACTIVE && told == Native.BACKGROUND) {
            return;
        }
        told = state;
        keepalive.appState(state, state == Native.BACKGROUND ? GRACE_MS : Native.UNKNOWN);
    }
}
