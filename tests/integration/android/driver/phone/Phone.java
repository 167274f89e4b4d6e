package phone;

import android.app.Activity;
import android.app.Application;
import android.app.NotificationManager;
import android.app.Service;
import android.content.BroadcastReceiver;
import android.content.Context;
import android.content.Intent;
import android.net.ConnectivityManager;
import android.net.Network;
import android.net.NetworkCapabilities;
import android.os.BatteryManager;
import android.os.PowerManager;
import android.os.UserManager;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * An Android phone, as far as the shim can tell: the system behind the stubs. Its clock stands still until told. What it
 * does on its main thread, it does inside advance(); the keeper's thread calls it at any time.
 */
public final class Phone {
    private static final class Task {
        final Runnable work;
        final long due;

        Task(Runnable work, long due) {
            this.work = work;
            this.due = due;
        }
    }

    public static final Map<Intent, Class<?>> targets = new HashMap<>();
    public static volatile boolean unlocked = true, powerSave, idle, exempt, metered;
    public static BroadcastReceiver receiver;
    public static ConnectivityManager.NetworkCallback network;
    public static Application.ActivityLifecycleCallbacks activities;
    /** Thrown by the next attempts to start the service, or to bring it to the foreground. */
    public static volatile RuntimeException refuseStart, refuseForeground;

    private static final List<Task> tasks = new ArrayList<>();
    private static final List<String> journal = new ArrayList<>();
    private static final Map<String, Long> wakeLocks = new HashMap<>();
    private static long now = 1_000_000;
    private static final Activity activity = new Activity();
    private static boolean open;
    private static Service service;
    private static boolean starting, inForeground;

    private Phone() {}

    public static synchronized void log(String line) {
        journal.add(line);
    }

    public static synchronized boolean logged(String part) {
        return journal.stream().anyMatch(line -> line.contains(part));
    }

    public static synchronized int count(String line) {
        return (int) journal.stream().filter(line::equals).count();
    }

    public static synchronized void forget() {
        journal.clear();
    }

    // Time and the main thread

    public static synchronized long now() {
        return now;
    }

    public static synchronized void schedule(Runnable work, long delay) {
        tasks.add(new Task(work, now + delay));
    }

    public static synchronized void unschedule(Runnable work) {
        tasks.removeIf(task -> task.work == work);
    }

    /** Lets the main thread do what is due in that time. */
    public static void advance(long milliseconds) {
        long end = now() + milliseconds;
        for (Task next = takeDue(end); next != null; next = takeDue(end)) {
            next.work.run();
        }
        synchronized (Phone.class) {
            now = end;
        }
    }

    private static synchronized Task takeDue(long end) {
        Task first = null;
        for (Task each : tasks) {
            if (each.due <= end && (first == null || each.due < first.due)) {
                first = each;
            }
        }
        tasks.remove(first);
        if (first != null) {
            now = Math.max(now, first.due);
        }
        return first;
    }

    // Services, by Android's rules

    public static void startService(Class<?> type) {
        if (refuseStart != null) {
            throw refuseStart;
        }
        log("start service");
        synchronized (Phone.class) {
            starting = true;
        }
        schedule(() -> runService(type), 0);
    }

    private static void runService(Class<?> type) {
        try {
            if (service == null) {
                service = (Service) type.getDeclaredConstructor().newInstance();
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
        service.onStartCommand(null, 0, 1);
        synchronized (Phone.class) {
            if (starting) {
                log("CRASH: the service did not enter the foreground");
            }
        }
    }

    public static synchronized void enterForeground() {
        starting = false;
        if (refuseForeground != null) {
            throw refuseForeground;
        }
        inForeground = true;
        log("in foreground");
    }

    public static synchronized void stopService() {
        if (starting) {
            log("CRASH: stopped before it entered the foreground");
        }
        log("stop service");
        schedule(Phone::destroyService, 0);
    }

    private static void destroyService() {
        Service gone = service;
        synchronized (Phone.class) {
            service = null;
            inForeground = false;
        }
        if (gone != null) {
            gone.onDestroy();
        }
    }

    public static synchronized boolean serviceRuns() {
        return inForeground;
    }

    /** Low memory, or a maker's idea of saving power. */
    public static void killService() {
        destroyService();
    }

    public static void serviceTimesOut() {
        service.onTimeout(1, 1);
    }

    // Wake locks

    public static synchronized void awake(String tag, long timeout) {
        wakeLocks.put(tag, now + timeout);
    }

    public static synchronized void maySleep(String tag) {
        if (wakeLocks.remove(tag) == null) {
            log("CRASH: a wake lock was released that was not held");
        }
    }

    public static synchronized boolean isAwake(String tag) {
        for (Iterator<Map.Entry<String, Long>> each = wakeLocks.entrySet().iterator(); each.hasNext();) {
            if (each.next().getValue() < now) {
                each.remove();  // its time is over
            }
        }
        return wakeLocks.containsKey(tag);
    }

    // People and the system

    public static Object system(String name) {
        switch (name) {
            case Context.POWER_SERVICE:
                return new PowerManager();
            case Context.USER_SERVICE:
                return new UserManager();
            case Context.CONNECTIVITY_SERVICE:
                return new ConnectivityManager();
            default:
                return new NotificationManager();
        }
    }

    public static Intent battery(int percent, boolean plugged) {
        return new Intent(Intent.ACTION_BATTERY_CHANGED)
                .putExtra(BatteryManager.EXTRA_LEVEL, percent * 2)
                .putExtra(BatteryManager.EXTRA_SCALE, 200)
                .putExtra(BatteryManager.EXTRA_PLUGGED, plugged ? 1 : 0);
    }

    public static void broadcast(Intent intent) {
        receiver.onReceive(null, intent);
    }

    public static void doze(boolean on) {
        idle = on;
        broadcast(new Intent(PowerManager.ACTION_DEVICE_IDLE_MODE_CHANGED));
    }

    public static void payForNetwork(boolean byVolume) {
        metered = byVolume;
        network.onCapabilitiesChanged(new Network(), new NetworkCapabilities());
    }

    /** The one activity, if it is not in front already. */
    public static void openApp() {
        if (!open) {
            activities.onActivityStarted(activity);
            activities.onActivityResumed(activity);
            open = true;
        }
        advance(0);
    }

    public static void leaveApp() {
        coverApp();
        hideApp();
        advance(700);
    }

    public static void coverApp() {
        activities.onActivityPaused(activity);
        open = false;
    }

    public static void hideApp() {
        activities.onActivityStopped(activity);
    }

    /** One activity starts another, which covers it. */
    public static void turnPage(long milliseconds) {
        Activity next = new Activity();
        activities.onActivityPaused(activity);
        advance(milliseconds);
        activities.onActivityStarted(next);
        activities.onActivityResumed(next);
        activities.onActivityStopped(activity);
    }
}
