using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Bundles.Durability;
using Dunlin.Optimizer.Data;

namespace Dunlin.Optimizer.Search;

/// <summary>
/// The folder in which a search keeps what it has done: its recipe, models, and a record of each finished measurement. All else is derived from
/// these, so that a search that was killed at any moment does again only what it had not finished. One process at a time.
/// </summary>
internal sealed class Study : IDisposable
{
    private const string RecipeFile = "study.json", SplitName = "split.json", LockFile = "lock", Records = "records", Models = "models";
    private readonly FileStream _lock;
    private readonly TimeProvider _time;
    private readonly long _opened;
    private readonly TimeSpan _before;
    private Measurement? _running;

    private Study(string folder, FileStream owned, TimeProvider time)
    {
        (Folder, _lock, _time) = (folder, owned, time);
        _before = TimeSpan.FromSeconds(Directory.EnumerateFiles(Path.Combine(folder, Records), "*.json").Sum(f => Read(f).Seconds));
        _opened = time.GetTimestamp();
    }

    public string Folder { get; }

    /// <summary>What was spent on all that is recorded or goes on from where it was, and since this process began. What a kill lost is not counted.</summary>
    public TimeSpan Elapsed => _before + _time.GetElapsedTime(_opened);

    /// <summary>Begins a study, or goes on with one.</summary>
    /// <param name="folder">Is made if it is not there.</param>
    /// <param name="recipe">What must stay the same.</param>
    /// <param name="time">Measures what work costs.</param>
    /// <exception cref="InvalidDataException">The folder holds another study, or something else.</exception>
    /// <exception cref="IOException">Another process is at it.</exception>
    public static Study Open(string folder, StudyRecipe recipe, TimeProvider time)
    {
        folder = Path.GetFullPath(folder);
        RequireUsable(folder);
        var file = Path.Combine(folder, RecipeFile);
        Directory.CreateDirectory(Path.Combine(folder, Records));
        Directory.CreateDirectory(Path.Combine(folder, Models));
        var owned = Lock(folder);
        try
        {
            if (!File.Exists(file)) DurableFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(recipe, StudyJson.Default.StudyRecipe));
            StudyRecipe.Read(file).RequireSame(recipe, folder);
            foreach (var left in Directory.EnumerateFiles(folder, "*" + DurableFile.TemporarySuffix, SearchOption.AllDirectories)) File.Delete(left);
            return new Study(folder, owned, time);
        }
        catch
        {
            owned.Dispose();
            throw;
        }
    }

    /// <summary>A folder that is not there, or empty but for a split, or that has a study, or what a kill left of one.</summary>
    /// <exception cref="InvalidDataException">It holds something else.</exception>
    public static void RequireUsable(string folder)
    {
        if (Directory.Exists(folder) && !File.Exists(Path.Combine(folder, RecipeFile)) && !Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).All(e => IsOfAStudy(e!)))
            throw new InvalidDataException($"'{folder}' is not empty and holds no study ({RecipeFile}); name another folder with --work.");
    }

    /// <summary>What the study in a folder was begun with; null if there is none yet.</summary>
    /// <exception cref="InvalidDataException">It is no recipe.</exception>
    public static StudyRecipe? RecipeOf(string folder) => Path.Combine(folder, RecipeFile) is var file && File.Exists(file) ? StudyRecipe.Read(file) : null;

    /// <summary>Holds the study to the images that its records were measured on: answers are kept by their place among them.</summary>
    /// <exception cref="InvalidDataException">They have changed.</exception>
    public void RequireSameImages(PixelSet search, PixelSet calibration)
    {
        var now = new MeasuredImages(search.Key, calibration.Key);
        if (Once("images", StudyJson.Default.MeasuredImages, () => now) != now)
            throw new InvalidDataException($"The search or calibration images of the study '{Folder}' are not those that it measured with: since then some were removed, renamed or given another class. Bring them back as they were, or name another folder with --work.");
    }

    /// <summary>Where a model of that name is kept.</summary>
    public string Model(string name) => Path.Combine(Folder, Models, $"{name}.onnx");

    /// <summary>What was recorded under a name; null if it was not yet.</summary>
    public T? Recorded<T>(string name, JsonTypeInfo<T> type) where T : class =>
        Find(name)?.Value?.Deserialize(type);

    /// <summary>Measures what was not measured yet and records it.</summary>
    /// <param name="name">Of the record.</param>
    /// <param name="type">Of the value.</param>
    /// <param name="measure">Measures nothing else of the study: the time would count twice.</param>
    /// <param name="isFinal">Whether a value holds for ever; what only time was lacking for is found anew, with a larger budget. Null: any does.</param>
    public T Once<T>(string name, JsonTypeInfo<T> type, Func<T> measure, Func<T, bool>? isFinal = null) where T : class
    {
        bool IsFinal(T value) => isFinal is null || isFinal(value);
        if (Recorded(name, type) is { } known && IsFinal(known)) return known;
        if (_running is { } other) throw new InvalidOperationException($"'{name}' is measured while '{other.Name}' is.");
        _running = new Measurement(name, Find(name)?.Seconds ?? 0, _time.GetTimestamp());
        try
        {
            var value = measure();
            Save(_running, IsFinal(value) ? JsonSerializer.SerializeToElement(value, type) : null);
            return value;
        }
        finally
        {
            _running = null;
        }
    }

    /// <summary>Remembers what was spent until now on what is being measured: interrupted, it goes on from here.</summary>
    public void SaveProgress()
    {
        if (_running is not null) Save(_running, value: null);
    }

    /// <summary>The same error with a word about how to go on: what is done is kept whatever happens.</summary>
    public IOException WithWayOn(IOException error) => new($"{error.Message} What is done is kept in '{Folder}'; when that is mended, the same command goes on from there.", error);

    public void Dispose() => _lock.Dispose();

    // Of temporary files only its own, since they will be removed.
    private static bool IsOfAStudy(string name) => name is SplitName or Records or Models or LockFile || (name.EndsWith(DurableFile.TemporarySuffix, StringComparison.Ordinal)
        && (name.Contains(RecipeFile, StringComparison.Ordinal) || name.Contains(SplitName, StringComparison.Ordinal)));

    private string RecordOf(string name) => Path.Combine(Folder, Records, $"{name}.json");

    private StudyRecord? Find(string name) => File.Exists(RecordOf(name)) ? Read(RecordOf(name)) : null;

    private void Save(Measurement measurement, JsonElement? value)
    {
        var record = new StudyRecord(measurement.SecondsBefore + _time.GetElapsedTime(measurement.Begin).TotalSeconds, value);
        DurableFile.Write(RecordOf(measurement.Name), JsonSerializer.SerializeToUtf8Bytes(record, StudyJson.Default.StudyRecord));
    }

    private static StudyRecord Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), StudyJson.Default.StudyRecord)!;
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"'{path}' is not a record of a study ({error.Message}); delete it, and it is measured again.", error);
        }
    }

    private static FileStream Lock(string folder)
    {
        try
        {
            return new FileStream(Path.Combine(folder, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error)
        {
            throw new IOException($"Another process works in the study '{folder}'; wait for it, or name another folder with --work. ({error.Message})", error);
        }
    }

    private sealed record Measurement(string Name, double SecondsBefore, long Begin);
}

/// <summary>A measurement.</summary>
/// <param name="Seconds">What it took, in all processes that were at it.</param>
/// <param name="Value">What it found; null until then.</param>
internal sealed record StudyRecord(double Seconds, JsonElement? Value);
