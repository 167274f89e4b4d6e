package android.os;

import phone.Phone;

public class Handler {
    public Handler(Looper looper) {}

    public final boolean postDelayed(Runnable work, long delayMillis) {
        Phone.schedule(work, delayMillis);
        return true;
    }

    public final void removeCallbacks(Runnable work) {
        Phone.unschedule(work);
    }
}
