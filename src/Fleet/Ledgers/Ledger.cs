using System.Globalization;
using Dunlin.Bundles.Durability;
using Microsoft.Data.Sqlite;

namespace Dunlin.Fleet.Ledgers;

/// <summary>
/// The fleet's database: devices, releases, and every directive with its counter. SQLite, write-ahead log, synced at each
/// commit; a write transaction excludes all others, also of other processes, so that no counter is given twice.
/// Thread-safe.
/// </summary>
internal sealed partial class Ledger : IDisposable
{
    public const string FileName = "fleet.db";
    private const int SchemaVersion = 1;
    private const int PatienceSeconds = 10;

    private const string Schema = """
        CREATE TABLE device (
            name TEXT PRIMARY KEY, added TEXT NOT NULL,
            counter INTEGER NOT NULL DEFAULT 0  -- the highest ever issued; never falls
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE release (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, label TEXT NOT NULL, version INTEGER NOT NULL, epoch INTEGER NOT NULL,
            envelope BLOB NOT NULL,             -- the bytes of the signature layer
            added TEXT NOT NULL, revoked TEXT   -- null: good
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE source (
            release TEXT NOT NULL REFERENCES release(id), kind TEXT NOT NULL, location TEXT NOT NULL, added TEXT NOT NULL,
            PRIMARY KEY (release, kind, location)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE blob (
            digest TEXT NOT NULL, release TEXT NOT NULL REFERENCES release(id), size INTEGER NOT NULL,
            PRIMARY KEY (digest, release)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE directive (
            device TEXT NOT NULL REFERENCES device(name), counter INTEGER NOT NULL, digest TEXT NOT NULL UNIQUE,
            release TEXT NOT NULL REFERENCES release(id), envelope BLOB NOT NULL, issued TEXT NOT NULL, expires TEXT NOT NULL,
            result TEXT, reason TEXT, detail TEXT, ended TEXT,
            PRIMARY KEY (device, counter)
        ) STRICT, WITHOUT ROWID;
        """;

    // What was added since: earlier programs pass over it.
    private const string Additions = """
        CREATE TABLE IF NOT EXISTS retired (
            device TEXT PRIMARY KEY REFERENCES device(name), at TEXT NOT NULL  -- out of the fleet; its counter stays
        ) STRICT, WITHOUT ROWID;
        """;

    private readonly SqliteConnection _connection;
    private readonly Lock _gate = new();

    private Ledger(SqliteConnection connection) => _connection = connection;

    /// <summary>Opens the database below a folder, and makes both if they are absent (mode 0700).</summary>
    /// <exception cref="FleetException">It was made by a later version.</exception>
    public static Ledger Open(string folder)
    {
        DurableFile.CreateDirectory(folder);
        var path = Path.Combine(Path.GetFullPath(folder), FileName);
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path, Pooling = false, DefaultTimeout = PatienceSeconds, ForeignKeys = true,
        }.ToString());
        try
        {
            connection.Open();
            var ledger = new Ledger(connection);
            ledger.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
            ledger.Prepare(path);
            return ledger;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public void Dispose() => _connection.Dispose();

    private void Prepare(string path)
    {
        using var transaction = _connection.BeginTransaction();
        var version = Scalar<long>("PRAGMA user_version");
        if (version > SchemaVersion)
            throw new FleetException(ExitCodes.InputMissing, $"The database '{path}' has schema {version}, and this dunlin-fleet knows {SchemaVersion}; use the newer program.");
        if (version == 0) Execute(string.Create(CultureInfo.InvariantCulture, $"{Schema} PRAGMA user_version = {SchemaVersion};"));
        Execute(Additions);
        transaction.Commit();
    }

    private int Execute(string sql, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(sql, parameters);
        return command.ExecuteNonQuery();
    }

    private T? Scalar<T>(string sql, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(sql, parameters);
        return command.ExecuteScalar() is { } value and not DBNull ? (T)value : default;
    }

    private List<T> Rows<T>(string sql, Func<SqliteDataReader, T> read, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(sql, parameters);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    }

    private SqliteCommand Command(string sql, (string Name, object? Value)[] parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    private static string Text(DateTimeOffset time) => time.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture);

    private static DateTimeOffset Time(string text) => DateTimeOffset.ParseExact(text, "O", CultureInfo.InvariantCulture);

    private static string? TextOrNull(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
