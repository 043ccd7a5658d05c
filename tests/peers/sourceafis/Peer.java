import com.machinezoo.sourceafis.FingerprintImage;
import com.machinezoo.sourceafis.FingerprintImageOptions;
import com.machinezoo.sourceafis.FingerprintMatcher;
import com.machinezoo.sourceafis.FingerprintTemplate;
import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;

/**
 * SourceAFIS on a folder of prints: `java -cp CLASSPATH Peer.java DPI DIR`.
 *
 * Prints the median time of a template, the comparisons a second, and then the score of every two prints, each against each later one in the order of
 * their names: a line a print. Raw pixels go in: by way of a decoder's colours the same images do worse.
 */
public class Peer {
    public static void main(String[] arguments) throws Exception {
        double dpi = Double.parseDouble(arguments[0]);
        File[] files = new File(arguments[1]).listFiles((dir, name) -> name.endsWith(".tif"));
        Arrays.sort(files);
        List<FingerprintTemplate> templates = new ArrayList<>();
        List<Double> times = new ArrayList<>();
        // The first round warms the compiler up, and is not counted.
        for (int round = 0; round < 2; round++) {
            templates.clear();
            times.clear();
            for (File file : files) {
                var raster = ImageIO.read(file).getRaster();
                int width = raster.getWidth(), height = raster.getHeight();
                int[] samples = raster.getSamples(0, 0, width, height, 0, (int[]) null);
                byte[] grey = new byte[samples.length];
                for (int i = 0; i < grey.length; i++) grey[i] = (byte) samples[i];
                long begun = System.nanoTime();
                var options = new FingerprintImageOptions().dpi(dpi);
                templates.add(new FingerprintTemplate(new FingerprintImage(width, height, grey, options)));
                times.add((System.nanoTime() - begun) / 1e6);
            }
        }
        times.sort(null);
        StringBuilder lines = new StringBuilder();
        long compared = 0, begun = 0;
        for (int round = 0; round < 2; round++) {
            lines.setLength(0);
            compared = 0;
            begun = System.nanoTime();
            for (int i = 0; i < templates.size(); i++) {
                var matcher = new FingerprintMatcher(templates.get(i));
                for (int j = i + 1; j < templates.size(); j++, compared++) lines.append(matcher.match(templates.get(j))).append(' ');
                lines.append('\n');
            }
        }
        System.out.println(times.get(times.size() / 2));
        System.out.println(compared / ((System.nanoTime() - begun) / 1e9));
        System.out.print(lines);
    }
}
