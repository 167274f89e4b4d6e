package dev.fermata;

import android.content.Context;
import android.os.Handler;
import android.os.PowerManager;
import android.os.SystemClock;
import android.util.Log;

/**
 * A partial wake lock that is taken for 60 s and 30 s more for safety, and renewed every 60 s: if we are killed or hang,
 * the device sleeps again soon. Thread-safe.
 */
final class RenewableWakeLock {
    static final long RENEWAL_MS = 60_000, SAFETY_MS = 30_000;

    private final PowerManager.WakeLock lock;
    private final Handler handler = Keepalive.mainHandler();
    private final Runnable renewal = this::renew;
    private boolean held;
    private long takenAt;

    RenewableWakeLock(Context context) {
        PowerManager power = Keepalive.system(context, Context.POWER_SERVICE, PowerManager.class);
        lock = power.newWakeLock(PowerManager.PARTIAL_WAKE_LOCK, "fermata:sync");
        lock.setReferenceCounted(false);
    }

    synchronized void acquire() {
        if (!held) {
            held = true;
            take();
        }
    }

    synchronized void release() {
        if (held) {
            held = false;
            handler.removeCallbacks(renewal);
            lock.release();
        }
    }

    private void take() {
        takenAt = SystemClock.elapsedRealtime();
        lock.acquire(RENEWAL_MS + SAFETY_MS);
        handler.postDelayed(renewal, RENEWAL_MS);
    }

    private synchronized void renew() {
        if (!held) {
            return;
        }
        long late = SystemClock.elapsedRealtime() - takenAt - RENEWAL_MS;
        if (late > SAFETY_MS) {
            Log.w(Keepalive.TAG, "the wake lock was renewed " + late / 1000 + " s late: this process did not run");
        }
        take();
    }
}
