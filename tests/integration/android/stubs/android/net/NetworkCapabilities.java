package android.net;

import phone.Phone;

public final class NetworkCapabilities {
    public static final int NET_CAPABILITY_NOT_METERED = 11;

    public boolean hasCapability(int capability) {
        return capability == NET_CAPABILITY_NOT_METERED && !Phone.metered;
    }
}
