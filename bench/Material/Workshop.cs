namespace Dunlin.Bench.Material;

/// <summary>Where everything lies that a benchmark needs. The work folder is outside git and kept from run to run.</summary>
internal sealed class Workshop
{
    public Workshop(string repository, string folder)
    {
        (Repository, Folder) = (repository, folder);
        Directory.CreateDirectory(folder);
        var shared = Environment.GetEnvironmentVariable("DUNLIN_SHARED") ?? Path.Combine(repository, "..", "shared");
        ImageNet = Path.GetFullPath(Path.Combine(shared, "data", "imagenet"));
    }

    public string Repository { get; }
    public string Folder { get; }

    /// <summary>The folder of MobileNetV2 and the photographs; may be absent.</summary>
    public string ImageNet { get; }

    public bool HasImageNet => File.Exists(ImageNetFile("mobilenet_v2.onnx"));

    /// <summary>Why rows without the photographs are skipped.</summary>
    public string NoImageNet => $"no data in {ImageNet}";

    /// <summary>The published agent; the target makes it.</summary>
    public string Agent => Path.Combine(Repository, "artifacts", "agent", "linux-x64", "dunlin-agent");

    public bool HasAgent => File.Exists(Agent);

    /// <summary>The fleet's program; building the bench builds it.</summary>
    public string Fleet => Path.Combine(Repository, "artifacts", "bin", "Fleet", "release", "dunlin-fleet");

    /// <summary>The optimizer, as the bench was built with it.</summary>
    public string Optimizer => Path.Combine(Repository, "artifacts", "bin", "Optimizer", "release", "dunlin-optimizer");

    public string DemoBundle => Path.Combine(Repository, "demo", "bundle");

    /// <summary>The Node program with its packages; the target installs it.</summary>
    public string NodePeer => Path.Combine(Folder, "node");

    public bool HasNodePeer => Directory.Exists(Path.Combine(NodePeer, "node_modules"));

    public string ImageNetFile(string name) => Path.Combine(ImageNet, name);

    /// <summary>Makes a file or folder of the work folder, once: half-made ones do not stay.</summary>
    public string Once(string name, Action<string> make)
    {
        var path = Path.Combine(Folder, name);
        if (Path.Exists(path)) return path;
        var unfinished = Path.Combine(Folder, $"unfinished-{Environment.ProcessId}-{name}");
        make(unfinished);
        if (Directory.Exists(unfinished)) Directory.Move(unfinished, path);
        else File.Move(unfinished, path);
        return path;
    }
}
