namespace Dunlin.Fleet.Ledgers;

internal sealed partial class Ledger
{
    /// <summary>Enters a device, or brings one back that was retired; true if it has never been there.</summary>
    public bool AddDevice(string name, DateTimeOffset now)
    {
        lock (_gate) return Admit(name, now);
    }

    /// <summary>Takes a device out of the fleet. False: there has never been one of this name.</summary>
    public bool Retire(string name, DateTimeOffset now)
    {
        lock (_gate)
        {
            Execute("INSERT INTO retired (device, at) SELECT name, $now FROM device WHERE name = $name ON CONFLICT DO NOTHING", ("$name", name), ("$now", Text(now)));
            return Scalar<string>("SELECT device FROM retired WHERE device = $name", ("$name", name)) is not null;
        }
    }

    /// <summary>Those of the fleet.</summary>
    public IReadOnlyList<string> Devices()
    {
        lock (_gate) return Rows("SELECT name FROM device WHERE name NOT IN (SELECT device FROM retired) ORDER BY name", row => row.GetString(0));
    }

    public IReadOnlyList<string> RetiredDevices()
    {
        lock (_gate) return Rows("SELECT device FROM retired ORDER BY device", row => row.GetString(0));
    }

    /// <summary>The highest counter ever issued to a device; 0 if none.</summary>
    public long Counter(string device)
    {
        lock (_gate) return Scalar<long>("SELECT counter FROM device WHERE name = $name", ("$name", device));
    }

    /// <summary>After a loss of the database: never issue this counter, or a lower one, to the device again. True if that is news.</summary>
    public bool RaiseCounter(string device, long counter, DateTimeOffset now)
    {
        lock (_gate)
        {
            Enter(device, now);
            return Execute("UPDATE device SET counter = $counter WHERE name = $name AND counter < $counter", ("$name", device), ("$counter", counter)) > 0;
        }
    }

    private bool Admit(string name, DateTimeOffset now)
    {
        Execute("DELETE FROM retired WHERE device = $name", ("$name", name));
        return Enter(name, now);
    }

    private bool Enter(string name, DateTimeOffset now) =>
        Execute("INSERT INTO device (name, added) VALUES ($name, $now) ON CONFLICT DO NOTHING", ("$name", name), ("$now", Text(now))) > 0;
}
