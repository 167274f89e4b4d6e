package dev.fermata;

import android.app.Application;
import android.app.Notification;
import android.content.Context;
import android.content.Intent;
import android.os.Handler;
import android.os.Looper;
import android.os.PowerManager;
import android.util.Log;

/**
 * The foreground service as the keeper's strategy, and the one place where the parts meet. It translates and decides
 * nothing. The static methods are called by the keeper's thread, through JNI; the service calls on the main thread.
 */
final class Keepalive {
    static final String TAG = "fermata";
    /** Until the system ends a process whose service has timed out; it says "a few seconds". */
    static final long LAST_MOMENTS_MS = 3000;

    private enum Service { STOPPED, STARTING, RUNNING }

    private static Keepalive only;

    private final Application application;
    private final RenewableWakeLock wakeLock;
    private final PowerManager.WakeLock graceLock;
    private final AppStates appStates;
    private final DeviceConditions conditions;
    private Notification notification;
    private Service service = Service.STOPPED;
    private boolean acquired;
    /** The system's time for this type of service is used up, until people bring the app to the front. */
    private boolean exhausted;

    private Keepalive(Application application) {
        this.application = application;
        wakeLock = new RenewableWakeLock(application);
        PowerManager power = system(application, Context.POWER_SERVICE, PowerManager.class);
        graceLock = power.newWakeLock(PowerManager.PARTIAL_WAKE_LOCK, "fermata:pausing");
        graceLock.setReferenceCounted(false);
        appStates = new AppStates(this);
        conditions = new DeviceConditions(application, this);
    }

    static synchronized void attach(Application application) {
        if (only == null) {
            only = new Keepalive(application);
            // From now on, so that no activity is missed; the native side keeps what comes before the keeper starts.
            application.registerActivityLifecycleCallbacks(only.appStates);
            only.conditions.start();
            Native.appState(Native.BACKGROUND, Native.UNKNOWN);  // no activity was seen yet, and there may be none
        }
    }

    static synchronized Keepalive attached() {
        if (only == null) {
            throw new IllegalStateException("call BackgroundSync.shared(application) in Application.onCreate first");
        }
        return only;
    }

    // For the keeper.

    static void acquire() {
        attached().acquireService();
    }

    static void release() {
        attached().releaseService();
    }

    static void readyToSuspend() {
        attached().endGrace();
    }

    private void acquireService() {
        synchronized (this) {
            acquired = true;
            if (exhausted) {
                Native.strategy(Native.UNSUPPORTED, Native.UNKNOWN);
                return;
            }
            if (service != Service.STOPPED) {
                if (service == Service.RUNNING) {
                    Native.strategy(Native.HELD, Native.UNKNOWN);
                }
                return;
            }
            service = Service.STARTING;
        }
        try {
            application.startForegroundService(new Intent(application, FermataService.class));
        } catch (SecurityException e) {
            failed(Native.UNSUPPORTED, "the manifest lacks the service's permission or type", e);
        } catch (IllegalStateException e) {  // ForegroundServiceStartNotAllowedException, among others
            failed(Native.REFUSED, "a service may not be started now that the app is in the background", e);
        }
    }

    // A service that was asked for must become a foreground service before it is stopped, or the app crashes. So one that
    // is still starting stops itself when it has.
    private void releaseService() {
        boolean stop;
        synchronized (this) {
            acquired = false;
            stop = service == Service.RUNNING;
            if (stop) {
                service = Service.STOPPED;
            }
        }
        wakeLock.release();
        if (stop) {
            application.stopService(new Intent(application, FermataService.class));
        }
    }

    private synchronized void failed(int event, String what, RuntimeException e) {
        Log.w(TAG, "cannot start the foreground service: " + what + " (" + e.getMessage() + ")");
        service = Service.STOPPED;
        if (acquired) {
            Native.strategy(event, Native.UNKNOWN);
        }
    }

    // For the service, on the main thread.

    /** It is in the foreground. False if nobody wants it any more. */
    synchronized boolean serviceRuns() {
        service = acquired ? Service.RUNNING : Service.STOPPED;
        if (acquired) {
            wakeLock.acquire();
            Native.strategy(Native.HELD, Native.UNKNOWN);
            endGrace();
        }
        return acquired;
    }

    void serviceFailed(RuntimeException e) {
        int event = e instanceof SecurityException ? Native.UNSUPPORTED : Native.REFUSED;
        failed(event, "the system does not let it into the foreground", e);
    }

    /** The system's time for it is over; it must be stopped within moments, by whoever. */
    synchronized void serviceTimesOut() {
        exhausted = true;
        if (acquired) {
            Native.strategy(Native.EXPIRED, LAST_MOMENTS_MS);
        }
    }

    /** It was destroyed; by us, unless it was wanted. */
    synchronized void serviceGone() {
        boolean lost = acquired && service == Service.RUNNING;
        service = Service.STOPPED;
        wakeLock.release();
        if (lost) {
            Native.strategy(Native.LOST, Native.UNKNOWN);
        }
    }

    synchronized Notification notification() {
        return notification;
    }

    synchronized void setNotification(Notification notification) {
        this.notification = notification;
    }

    // For AppStates and DeviceConditions.

    synchronized void appState(int state, long timeLeftMs) {
        if (state == Native.FOREGROUND) {
            exhausted = false;
        }
        if (state == Native.BACKGROUND && service != Service.RUNNING) {
            graceLock.acquire(AppStates.GRACE_MS);  // sync is paused even if the screen is off; over by itself
        } else {
            endGrace();
        }
        Native.appState(state, timeLeftMs);
    }

    synchronized void dozing(boolean dozing) {
        if (acquired) {
            Native.strategy(dozing ? Native.INTERRUPTED : Native.INTERRUPTION_ENDED, Native.UNKNOWN);
        }
    }

    private synchronized void endGrace() {
        if (graceLock.isHeld()) {
            graceLock.release();
        }
    }

    static Handler mainHandler() {
        return new Handler(Looper.getMainLooper());
    }

    static <T> T system(Context context, String name, Class<T> type) {
        return type.cast(context.getSystemService(name));
    }
}
