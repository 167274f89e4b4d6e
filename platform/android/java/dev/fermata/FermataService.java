package dev.fermata;

import android.app.Notification;
import android.app.NotificationChannel;
import android.app.NotificationManager;
import android.app.Service;
import android.content.Context;
import android.content.Intent;
import android.content.pm.ServiceInfo;
import android.os.Build;
import android.os.Handler;
import android.os.IBinder;

/**
 * The foreground service that keeps the process from being frozen. It does nothing: being there is its work. Its types are
 * those of the app's manifest (platform/android/README.md). Started and stopped by the keeper alone.
 */
public final class FermataService extends Service {
    private static final int NOTIFICATION = 0x46524d41;
    private static final String CHANNEL = "fermata";

    private final Handler handler = Keepalive.mainHandler();
    private final Runnable lastResort = this::stopSelf;

    @Override
    public int onStartCommand(Intent intent, int flags, int startId) {
        Keepalive keepalive = Keepalive.attached();
        try {
            enterForeground(notification(keepalive));
        } catch (RuntimeException e) {
            keepalive.serviceFailed(e);
            stopSelf();
            return START_NOT_STICKY;
        }
        if (!keepalive.serviceRuns()) {
            stopSelf();
        }
        return START_NOT_STICKY;  // a new process decides anew
    }

    private void enterForeground(Notification notification) {
        if (Build.VERSION.SDK_INT >= 29) {
            startForeground(NOTIFICATION, notification, ServiceInfo.FOREGROUND_SERVICE_TYPE_MANIFEST);
        } else {
            startForeground(NOTIFICATION, notification);
        }
    }

    /** Android 15: six hours in a day of a type such as dataSync are over. Not stopping now crashes the app. */
    @Override
    public void onTimeout(int startId, int fgsType) {
        Keepalive.attached().serviceTimesOut();
        handler.postDelayed(lastResort, Keepalive.LAST_MOMENTS_MS);
    }

    /** Android 14, of a short service. */
    @Override
    public void onTimeout(int startId) {
        onTimeout(startId, 0);
    }

    @Override
    public void onDestroy() {
        handler.removeCallbacks(lastResort);
        Keepalive.attached().serviceGone();
    }

    @Override
    public IBinder onBind(Intent intent) {
        return null;
    }

    private Notification notification(Keepalive keepalive) {
        Notification given = keepalive.notification();
        if (given != null) {
            return given;
        }
        NotificationManager manager =
                Keepalive.system(this, Context.NOTIFICATION_SERVICE, NotificationManager.class);
        manager.createNotificationChannel(
                new NotificationChannel(CHANNEL, "Sync", NotificationManager.IMPORTANCE_LOW));
        return new Notification.Builder(this, CHANNEL)
                .setSmallIcon(android.R.drawable.stat_notify_sync)
                .setContentTitle("Syncing")
                .setOngoing(true)
                .build();
    }
}
