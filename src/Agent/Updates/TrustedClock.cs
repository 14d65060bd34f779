using System.Runtime.InteropServices;

namespace Dunlin.Agent.Updates;

/// <summary>
/// The earliest that it can be now: the latest signed or built-in time, going on by the monotonic clock, or the system clock
/// where the kernel says that it is synchronized. Thread-safe.
/// </summary>
internal sealed partial class TrustedClock
{
    // An unsynchronized clock within this of the trusted time is taken for TLS alone, where a certificate may be younger than any signed time.
    private static readonly TimeSpan PlausibleDrift = TimeSpan.FromDays(2 * 365);

    private const int TimeError = 5;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Func<bool> _isSynchronized;
    private readonly DateTimeOffset _buildTime;
    private DateTimeOffset _base;
    private long _baseAt;

    public TrustedClock(TimeProvider time, DateTimeOffset buildTime, Func<bool> isSynchronized)
    {
        (_time, _isSynchronized, _buildTime, _base) = (time, isSynchronized, buildTime, buildTime);
        _baseAt = time.GetTimestamp();
    }

    /// <summary>Begins at the build's time: what was signed since must be learned.</summary>
    public static TrustedClock OfBoard(TimeProvider time) => new(time, AgentVersion.BuildTime, IsClockSynchronized);

    public DateTimeOffset BuildTime => _buildTime;

    /// <summary>The system clock if it is synchronized, else null.</summary>
    public DateTimeOffset? Synchronized => _isSynchronized() ? _time.GetUtcNow() : null;

    /// <summary>Never falls but by <see cref="Reset"/>; does not follow the system clock when somebody sets it.</summary>
    public DateTimeOffset Now
    {
        get
        {
            DateTimeOffset now;
            lock (_gate) now = Signed;
            return Synchronized is { } clock && clock > now ? clock : now;
        }
    }

    private DateTimeOffset Signed => After(_base, _time.GetElapsedTime(_baseAt));

    /// <summary>
    /// The time at which TLS chains are judged: a synchronized clock even where signed time stands beyond it. A stolen key may have
    /// signed that, and the root without this key comes over a link whose certificates would have expired.
    /// </summary>
    public DateTimeOffset ForTls
    {
        get
        {
            if (Synchronized is { } synchronized) return synchronized > _buildTime ? synchronized : _buildTime;
            var (now, clock) = (Now, _time.GetUtcNow());
            return clock > now && clock - now < PlausibleDrift ? clock : now;
        }
    }

    /// <summary>A signed time was accepted.</summary>
    public void Learn(DateTimeOffset signed)
    {
        lock (_gate)
        {
            if (signed <= Signed) return;
            (_base, _baseAt) = (signed, _time.GetTimestamp());
        }
    }

    /// <summary>What was learned so far came from a key that is no longer trusted: begin again here.</summary>
    public void Reset(DateTimeOffset signed)
    {
        lock (_gate) (_base, _baseAt) = (signed > _buildTime ? signed : _buildTime, _time.GetTimestamp());
    }

    /// <summary>Stays at the end of all time, near which a signed one may be.</summary>
    public static DateTimeOffset After(DateTimeOffset time, TimeSpan since) => since < DateTimeOffset.MaxValue - time ? time + since : DateTimeOffset.MaxValue;

    /// <summary>Whether the clock is synchronized: by the kernel, or where the unit's ProtectClock refuses to ask it, by systemd-timesyncd(8).</summary>
    public static bool IsClockSynchronized() => IsSynchronized(KernelState(), "/run/systemd/timesync/synchronized");

    internal static bool IsSynchronized(int kernelState, string marker) => kernelState < 0 ? File.Exists(marker) : kernelState < TimeError;

    /// <summary>As adjtimex(2) returns it.</summary>
    private static int KernelState()
    {
        // struct timex is at most 208 bytes on 64-bit Linux; modes = 0 reads.
        Span<byte> timex = stackalloc byte[256];
        timex.Clear();
        return AdjustTime(timex);
    }

    [LibraryImport("libc", EntryPoint = "adjtimex")]
    private static partial int AdjustTime(Span<byte> timex);
}
