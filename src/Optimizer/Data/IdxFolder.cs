using System.Globalization;

namespace Dunlin.Optimizer.Data;

/// <summary>A folder of the four files of the MNIST family, gzipped or not; a part of them is enough.</summary>
internal static class IdxFolder
{
    private const string Training = "train", Test = "t10k";

    /// <summary>Whether there is any part of one.</summary>
    public static bool IsIn(string folder) => HasTraining(folder) || HasTest(folder);

    /// <summary>Training and test images, those that are there. Classes are numbers, but for Fashion-MNIST's.</summary>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    public static DataListing List(string folder)
    {
        var names = ClassNames(folder);
        var samples = new List<ImageSample>();
        if (HasTraining(folder)) Add(Read(folder, Training, names), "train", isTest: false);
        if (HasTest(folder)) Add(Read(folder, Test, names), "test", isTest: true);
        return new DataListing(samples, names, ClassesAreNumbers: !FashionMnist.IsIn(folder));

        void Add(LabelledImages images, string part, bool isTest)
        {
            for (var i = 0; i < images.Count; i++)
                samples.Add(new MemorySample($"{part}/{i:d6}", names[images.Labels[i]], isTest, images, i));
        }
    }

    /// <exception cref="FileNotFoundException">A file is missing; the message says how to get it.</exception>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    public static LabelledImages ReadTest(string folder) => Read(folder, Test, ClassNames(folder));

    /// <summary>The right classes of training or test images, whichever are there first.</summary>
    public static byte[] FirstLabels(string folder) => Labels(folder, HasTraining(folder) ? Training : Test);

    private static bool HasTraining(string folder) => File.Exists(Find(folder, $"{Training}-images-idx3-ubyte"));

    private static bool HasTest(string folder) => File.Exists(Find(folder, $"{Test}-images-idx3-ubyte"));

    private static IReadOnlyList<string> ClassNames(string folder)
    {
        if (FashionMnist.IsIn(folder)) return FashionMnist.ClassNames;
        var highest = Math.Max(HasTraining(folder) ? Labels(folder, Training).Max() : 0, HasTest(folder) ? Labels(folder, Test).Max() : 0);
        return [.. Enumerable.Range(0, highest + 1).Select(c => c.ToString(CultureInfo.InvariantCulture))];
    }

    private static LabelledImages Read(string folder, string part, IReadOnlyList<string> classNames)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"There is no data set in '{folder}'; install the Debian package dataset-fashion-mnist, or name its folder with --data.");
        var (pixels, shape) = IdxFile.Read(Find(folder, $"{part}-images-idx3-ubyte"), rank: 3);
        return new LabelledImages(pixels, Labels(folder, part), width: shape[2], height: shape[1], classNames);
    }

    private static byte[] Labels(string folder, string part) => IdxFile.Read(Find(folder, $"{part}-labels-idx1-ubyte"), rank: 1).Values;

    private static string Find(string folder, string name)
    {
        var plain = Path.Combine(folder, name);
        return File.Exists(plain) ? plain : plain + ".gz";
    }
}
