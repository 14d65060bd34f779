using System.Xml.Linq;
using Dunlin.TestKit.Schemas;

namespace Dunlin.Contracts.Tests;

/// <summary>The arrows between projects never run back.</summary>
public sealed class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Contracts"] = [],
        ["Bundles"] = ["Contracts"],
        ["Runtime"] = ["Bundles", "Contracts"],
        ["Telemetry"] = ["Contracts"],
        ["Agent"] = ["Runtime", "Telemetry", "Bundles", "Contracts"],
        ["Optimizer"] = ["Runtime", "Bundles", "Contracts"],
        ["Fleet"] = ["Bundles", "Telemetry", "Contracts"],
    };

    private static string Root => Path.GetFullPath(Path.Combine(SchemaAssert.Folder, "..", ".."));

    [Fact]
    public void EveryProjectReferencesOnlyWhatTheTreeAllows()
    {
        foreach (var folder in Directory.GetDirectories(Path.Combine(Root, "src")))
        {
            var name = Path.GetFileName(folder);
            Assert.True(Allowed.TryGetValue(name, out var allowed), $"src/{name} is a new project; say here what it may reference.");
            var references = XDocument.Load(Path.Combine(folder, name + ".csproj")).Descendants("ProjectReference")
                .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));
            Assert.Empty(references.Except(allowed));
        }
    }

    [Fact]
    public void ContractsNeedNothingButTheBaseLibrary() =>
        Assert.All(typeof(StrictJson).Assembly.GetReferencedAssemblies(), a => Assert.StartsWith("System", a.Name, StringComparison.Ordinal));
}
