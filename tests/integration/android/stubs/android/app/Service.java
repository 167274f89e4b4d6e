package android.app;

import android.content.ContextWrapper;
import android.content.Intent;
import android.os.IBinder;
import phone.Phone;

public abstract class Service extends ContextWrapper {
    public static final int START_NOT_STICKY = 2;

    public int onStartCommand(Intent intent, int flags, int startId) {
        return 1;
    }

    public abstract IBinder onBind(Intent intent);

    public void onDestroy() {}

    public void onTimeout(int startId) {}

    public void onTimeout(int startId, int fgsType) {}

    public final void startForeground(int id, Notification notification) {
        Phone.enterForeground();
    }

    public final void startForeground(int id, Notification notification, int foregroundServiceType) {
        Phone.enterForeground();
    }

    public final void stopSelf() {
        Phone.stopService();
    }
}
